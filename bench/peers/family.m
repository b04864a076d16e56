-- The family fragment of the process lifecycle in Murphi: what a state is, and what is done in it,
-- is stated in README.md beside this file. Written from the man pages fork(2), vfork(2), wait(2),
-- execve(2) and _exit(2), and from nothing of spec/: it is there to be compared.
--
-- The tasks stand in preorder, init first and siblings by age, so that families that differ in
-- nothing but the names of their tasks are one state.

const
  N: 3;        -- tasks at a time, zombies included
  PID_MAX: 0;  -- 0: numbers do no more than tell tasks apart, and are left out
  CURSOR: 0;   -- the number that is tried first when all begins

type
  slot: 1..N;
  place: 0..N;  -- 0 is nobody
  number: 0..PID_MAX;
  doing: enum {gone, running, zombie, waiting_any, waiting_group, waiting_task, in_vfork};
  sequence: array[slot] of place;
  task: record
    parent: place;
    what: doing;
    whom: place;     -- the child that a wait or a vfork sleeps for
    fresh: boolean;  -- no execve since its fork
    pid: number;
  end;

var
  over: boolean;  -- init has exited
  count: place;
  cursor: number;
  tasks: array[slot] of task;

-- Where a task's descendants end: the last of them, or itself.
function LastOf(i: slot): place;
var j: place;
begin
  j := i;
  while j < count & tasks[j + 1].parent >= i do j := j + 1; end;
  return j;
end;

-- Makes `order` the order of the tasks; who is not in it is no more.
procedure Arrange(order: sequence; n: place);
var
  old: array[slot] of task;
  at: array[place] of place;
begin
  old := tasks;
  for i: place do at[i] := 0; end;
  for i := 1 to n do at[order[i]] := i; end;
  for i: slot do
    if i <= n then
      tasks[i] := old[order[i]];
      tasks[i].parent := at[old[order[i]].parent];
      tasks[i].whom := at[old[order[i]].whom];
    else
      clear tasks[i];
    end;
  end;
  count := n;
end;

procedure Reap(zombie: slot);
var order: sequence;
begin
  for i: slot do order[i] := 0; end;
  for i := 1 to count - 1 do
    if i < zombie then order[i] := i; else order[i] := i + 1; end;
  end;
  Arrange(order, count - 1);
end;

-- waitpid(2): > 0 a child by number; 0 those of one's own group, and nobody here leaves init's
-- group; -1 any.
function Matches(parent: slot; how: doing; whom: place; child: slot): boolean;
begin
  return tasks[child].parent = parent & (how != waiting_task | whom = child);
end;

-- The oldest dead child that a wait would answer, or nobody.
function DeadOf(parent: slot; how: doing; whom: place): place;
begin
  for c: slot do
    if c <= count & tasks[c].what = zombie & Matches(parent, how, whom, c) then return c; end;
  end;
  return 0;
end;

function AnyOf(parent: slot; how: doing; whom: place): boolean;
begin
  return exists c: slot do c <= count & Matches(parent, how, whom, c) end;
end;

function Waits(i: slot): boolean;
begin
  return tasks[i].what = waiting_any | tasks[i].what = waiting_group | tasks[i].what = waiting_task;
end;

-- Who sleeps in wait and has a dead child now wakes up with it.
procedure WakeWaiters();
var
  dead: place;
  again: boolean;
begin
  again := true;
  while again do
    again := false;
    for i: slot do
      if !again & i <= count & Waits(i) then
        dead := DeadOf(i, tasks[i].what, tasks[i].whom);
        if dead != 0 then
          tasks[i].what := running;
          tasks[i].whom := 0;
          Reap(dead);
          again := true;
        end;
      end;
    end;
  end;
end;

-- A vfork(2) returns when its child has exited or runs another program.
procedure ReleaseVfork(child: slot);
var parent: place;
begin
  parent := tasks[child].parent;
  if parent != 0 & tasks[parent].what = in_vfork & tasks[parent].whom = child then
    tasks[parent].what := running;
    tasks[parent].whom := 0;
  end;
end;

function Taken(n: number): boolean;
begin
  return n = 1 | exists i: slot do i <= count & tasks[i].pid = n end;
end;

-- The lowest free number from `first` on, or 0.
function FreeFrom(first: number): number;
var n: number;
begin
  n := first;
  while n < PID_MAX do
    if !Taken(n) then return n; end;
    n := n + 1;
  end;
  return 0;
end;

-- The next number: from the cursor up, then once from where the low ones end. 0: there is none.
function FreshNumber(): number;
var
  start: number;
  found: number;
begin
  if PID_MAX = 0 then return 0; end;
  if cursor > 300 then start := 300 % (PID_MAX + 1); else start := 1 % (PID_MAX + 1); end;
  if cursor > start then
    found := FreeFrom(cursor);
    if found != 0 then return found; end;
  end;
  return FreeFrom(start);
end;

-- fork(2) and vfork(2): the child is the youngest of its parent's children.
procedure MakeChild(parent: slot; borrows: boolean);
var
  pid: number;
  last: place;
  order: sequence;
begin
  pid := FreshNumber();
  if PID_MAX != 0 & pid = 0 then return; end;  -- EAGAIN
  if PID_MAX != 0 then cursor := pid + 1; end;
  last := LastOf(parent);
  count := count + 1;
  tasks[count].parent := parent;
  tasks[count].what := running;
  tasks[count].whom := 0;
  tasks[count].fresh := true;
  tasks[count].pid := pid;
  if borrows then
    tasks[parent].what := in_vfork;
    tasks[parent].whom := count;
  end;
  for i: slot do
    if i > count then
      order[i] := 0;
    elsif i <= last then
      order[i] := i;
    elsif i = last + 1 then
      order[i] := count;
    else
      order[i] := i - 1;
    end;
  end;
  Arrange(order, count);
end;

-- _exit(2): its children, the dead ones too, go to init after init's own, in their order.
procedure ExitOf(leaver: slot);
var
  last: place;
  order: sequence;
begin
  ReleaseVfork(leaver);
  last := LastOf(leaver);
  for i: slot do
    if i > count then
      order[i] := 0;
    elsif i <= leaver then
      order[i] := i;
    elsif i + last - leaver <= count then
      order[i] := i + last - leaver;
    else
      order[i] := i + last - count;
    end;
    if i <= count & tasks[i].parent = leaver then tasks[i].parent := 1; end;
  end;
  tasks[leaver].what := zombie;
  Arrange(order, count);
  WakeWaiters();
end;

-- With init goes everybody.
procedure ExitOfInit();
begin
  over := true;
  count := 0;
  cursor := 0;
  clear tasks;
end;

procedure Wait(parent: slot; how: doing; whom: place; hangs: boolean);
var dead: place;
begin
  dead := DeadOf(parent, how, whom);
  if dead != 0 then
    Reap(dead);
  elsif hangs & AnyOf(parent, how, whom) then
    tasks[parent].what := how;
    tasks[parent].whom := whom;
  end;  -- else 0, or ECHILD
end;

startstate begin
  over := false;
  clear tasks;
  count := 1;
  cursor := CURSOR;
  tasks[1].what := running;
end;

ruleset a: slot do
  alias can_act: a <= count & tasks[a].what = running do

    rule "fork" can_act & count < N ==> begin MakeChild(a, false); end;

    rule "vfork" can_act & count < N ==> begin MakeChild(a, true); end;

    rule "exec" can_act ==> begin
      tasks[a].fresh := false;
      ReleaseVfork(a);
    end;

    rule "exit" can_act ==> begin
      if a = 1 then ExitOfInit(); else ExitOf(a); end;
    end;

    -- With no option, with WNOHANG, and with WNOHANG|WUNTRACED|WCONTINUED: nobody ever stops.
    ruleset option: 0..2 do
      rule "wait4 any" can_act ==> begin Wait(a, waiting_any, 0, option = 0); end;

      rule "wait4 own-group" can_act ==> begin Wait(a, waiting_group, 0, option = 0); end;

      ruleset whom: slot do
        rule "wait4 task" can_act & whom <= count ==> begin
          Wait(a, waiting_task, whom, option = 0);
        end;
      end;
    end;
  end;
end;

invariant "who sleeps in wait has a child to wait for"
  forall i: slot do
    i <= count & Waits(i) -> AnyOf(i, tasks[i].what, tasks[i].whom)
  end;

invariant "the dead have no children, and parents stand before their children"
  forall i: slot do
    1 < i & i <= count -> tasks[i].parent != 0 & tasks[i].parent < i &
                          tasks[tasks[i].parent].what != zombie
  end;
