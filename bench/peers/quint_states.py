"""usage: quint_states.py TRACE...

Prints how many families are in traces of family.qnt, in the format ITF: states that differ only in
which task has which place are one.
"""
import json
import sys


def family_of(state):
    """A value that is the same for all states of a family."""
    if state["over"]:
        return "over"
    tasks = {number(place): task for place, task in state["tasks"]["#map"]}
    order = []

    def walk(place):
        order.append(place)
        for child in tasks[place]["children"]:
            walk(number(child))

    walk(1)
    assert sorted(order) == sorted(tasks), "every task is init, or a child of one parent"
    at = {place: i for i, place in enumerate(order)}
    return tuple(row_of(tasks[place], at) for place in order)


def row_of(task, at):
    doing = task["doing"]
    whom = doing["value"]
    has_whom = doing["tag"] in ("WaitsFor", "InVfork")
    return (at.get(number(task["parent"])), task["fresh"], doing["tag"],
            at[number(whom)] if has_whom else None)


def number(value):
    return int(value["#bigint"]) if isinstance(value, dict) else value


families = set()
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        families.update(family_of(state) for state in json.load(file)["states"])
print(len(families))
