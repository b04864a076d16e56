/* The family fragment of the process lifecycle in Promela: what a state is, and what is done in it,
   is stated in README.md beside this file. Written from the man pages fork(2), vfork(2), wait(2),
   execve(2) and _exit(2), and not from the code of spec/: it is there to be compared.

   Tasks are linked: oldest child and next younger sibling. After each step they are numbered anew,
   depth first: families that differ in nothing but the names of their tasks are one state. */

#ifndef N
#define N 3        /* tasks at a time, zombies included */
#endif
#ifndef PID_MAX
#define PID_MAX 0  /* 0: numbers do no more than tell tasks apart, and are left out */
#define CURSOR 0   /* the number that is tried first when all begins */
#endif

#define RUNS 0     /* and what the places behind the last task hold */
#define DEAD 1     /* and not reaped */
#define ANY 2      /* asleep in wait for any child, */
#define GROUP 3    /* for one of its group, */
#define TASK 4     /* for `whom` */
#define VFORK 5    /* asleep until `whom` exits or runs another program */

#define NOBODY 0
#define INIT 1

bool over;         /* init has exited */
byte count = 1;
byte what[N + 1], whom[N + 1], parent[N + 1], oldest[N + 1], younger[N + 1];
bool fresh[N + 1]; /* no execve since its fork */
#if PID_MAX
short cursor = CURSOR;
short held[N + 1];  /* whose number it is */
hidden short old_held[N + 1];
hidden short number, first;
#endif

/* What a step needs while it is under way is no part of the state. */
hidden byte k, i, n, p, c, dead, met, same, taken;
hidden byte from[N + 1], at[N + 1];
hidden byte old_what[N + 1], old_whom[N + 1], old_parent[N + 1], old_oldest[N + 1],
            old_younger[N + 1], old_fresh[N + 1];

/* A chain of siblings goes to the end of a parent's children. */
inline append(to, chain) {
  if
  :: oldest[to] == NOBODY -> oldest[to] = chain
  :: else ->
    k = oldest[to];
    do
    :: younger[k] != NOBODY -> k = younger[k]
    :: else -> break
    od;
    younger[k] = chain
  fi
}

/* Lists the tasks in `from`, depth first, and where each is in it. */
inline walk() {
  n = 0;
  k = INIT;
  same = true;
  do
  :: k == NOBODY -> break
  :: else ->
    n++;
    from[n] = k;
    at[k] = n;
    same = same && k == n;
    if
    :: oldest[k] != NOBODY -> k = oldest[k]
    :: else ->
      do
      :: k != NOBODY && younger[k] == NOBODY -> k = parent[k]
      :: else -> break
      od;
      k = younger[k]
    fi
  od
}

inline number_anew() {
  walk();
  if
  :: same && n == count
  :: else ->
    for (i : 1 .. count) {
      old_what[i] = what[i]; old_whom[i] = whom[i]; old_parent[i] = parent[i];
      old_oldest[i] = oldest[i]; old_younger[i] = younger[i]; old_fresh[i] = fresh[i];
#if PID_MAX
      old_held[i] = held[i];
#endif
    }
    for (i : 1 .. count) {
      if
      :: i <= n ->
        k = from[i];
        what[i] = old_what[k]; fresh[i] = old_fresh[k];
        whom[i] = at[old_whom[k]]; parent[i] = at[old_parent[k]];
        oldest[i] = at[old_oldest[k]]; younger[i] = at[old_younger[k]];
#if PID_MAX
        held[i] = old_held[k];
#endif
      :: else ->
        what[i] = RUNS; fresh[i] = false; whom[i] = NOBODY; parent[i] = NOBODY;
        oldest[i] = NOBODY; younger[i] = NOBODY;
#if PID_MAX
        held[i] = 0;
#endif
      fi
    }
    count = n
  fi
}

/* Takes a dead task off its parent's list. */
inline reap(gone) {
  k = oldest[parent[gone]];
  if
  :: k == gone -> oldest[parent[gone]] = younger[gone]
  :: else ->
    do
    :: younger[k] != gone -> k = younger[k]
    :: else -> break
    od;
    younger[k] = younger[gone]
  fi
}

/* `dead`: the oldest dead child that such a wait answers; `met`: any child that it is about. All
   are in one group, init's. */
inline look(waiter, how, about) {
  dead = NOBODY;
  met = NOBODY;
  c = oldest[waiter];
  do
  :: c == NOBODY || dead != NOBODY -> break
  :: else ->
    if
    :: how != TASK || about == c ->
      met = c;
      if
      :: what[c] == DEAD -> dead = c
      :: else
      fi
    :: else
    fi;
    c = younger[c]
  od
}

inline wait_for(waiter, how, about, hangs) {
  look(waiter, how, about);
  if
  :: dead != NOBODY -> reap(dead); number_anew()
  :: dead == NOBODY && met != NOBODY && hangs -> what[waiter] = how; whom[waiter] = about
  :: else  /* 0 or ECHILD */
  fi
}

/* One whose child has died or come to it, dead: its wait may be over. */
inline news_for(waiter) {
  if
  :: what[waiter] == ANY || what[waiter] == GROUP || what[waiter] == TASK ->
    look(waiter, what[waiter], whom[waiter]);
    if
    :: dead != NOBODY -> reap(dead); what[waiter] = RUNS; whom[waiter] = NOBODY
    :: else
    fi
  :: else
  fi
}

inline release_vfork(child) {
  if
  :: what[parent[child]] == VFORK && whom[parent[child]] == child ->
    what[parent[child]] = RUNS;
    whom[parent[child]] = NOBODY
  :: else
  fi
}

#if PID_MAX
/* The lowest number that nobody has, from `first` up; 0 if there is none. */
inline search() {
  number = first;
  do
  :: number >= PID_MAX -> number = 0; break
  :: else ->
    taken = number == 1;
    for (i : 1 .. count) { taken = taken || held[i] == number }
    if
    :: taken -> number++
    :: else -> break
    fi
  od
}

/* From the cursor up, then once more from where the low numbers end. */
inline choose_number() {
  first = (cursor > 300 -> cursor : (cursor > 1 -> cursor : 1));
  search();
  if
  :: number == 0 -> first = (cursor > 300 -> 300 : 1); search()
  :: else
  fi
}
#endif

inline bear(maker, borrows) {
#if PID_MAX
  choose_number();
  if
  :: number == 0  /* EAGAIN */
  :: else ->
    cursor = number + 1;
    held[count + 1] = number;
#endif
  count++;
  what[count] = RUNS;
  fresh[count] = true;
  parent[count] = maker;
  if
  :: borrows -> what[maker] = VFORK; whom[maker] = count
  :: else
  fi;
  append(maker, count);
  number_anew()
#if PID_MAX
  fi
#endif
}

/* Its children, the dead ones too, go to init after init's own, in their order. */
inline leave(who) {
  release_vfork(who);
  what[who] = DEAD;
  c = oldest[who];
  oldest[who] = NOBODY;
  if
  :: c != NOBODY ->
    append(INIT, c);
    do
    :: c != NOBODY -> parent[c] = INIT; c = younger[c]
    :: else -> break
    od
  :: else
  fi;
  p = parent[who];
  news_for(p);
  if
  :: p != INIT -> news_for(INIT)
  :: else
  fi;
  number_anew()
}

/* With init goes everybody. */
inline end_all() {
  over = true;
  for (i : 1 .. count) {
    what[i] = RUNS; fresh[i] = false; whom[i] = NOBODY; parent[i] = NOBODY;
    oldest[i] = NOBODY; younger[i] = NOBODY;
#if PID_MAX
    held[i] = 0;
#endif
  }
#if PID_MAX
  cursor = 0;
#endif
  count = 0
}

#define can_act(a) (a <= count && what[a] == RUNS)

/* With no option, with WNOHANG, and with WNOHANG|WUNTRACED|WCONTINUED: nobody ever stops. */
#define WAIT(a, how, about) \
  :: d_step { can_act(a) && about <= count -> wait_for(a, how, about, true) } \
  :: d_step { can_act(a) && about <= count -> wait_for(a, how, about, false) } \
  :: d_step { can_act(a) && about <= count -> wait_for(a, how, about, false) }

#define STEPS(a) \
  :: d_step { can_act(a) && count < N -> bear(a, false) } \
  :: d_step { can_act(a) && count < N -> bear(a, true) } \
  :: d_step { can_act(a) -> fresh[a] = false; release_vfork(a) } \
  WAIT(a, ANY, NOBODY) \
  WAIT(a, GROUP, NOBODY) \
  WAIT(a, TASK, 1) \
  TASK_2(a) TASK_3(a) TASK_4(a) TASK_5(a) TASK_6(a)

#define TASK_2(a)
#define TASK_3(a)
#define TASK_4(a)
#define TASK_5(a)
#define TASK_6(a)
#if N >= 2
#undef TASK_2
#define TASK_2(a) WAIT(a, TASK, 2)
#endif
#if N >= 3
#undef TASK_3
#define TASK_3(a) WAIT(a, TASK, 3)
#endif
#if N >= 4
#undef TASK_4
#define TASK_4(a) WAIT(a, TASK, 4)
#endif
#if N >= 5
#undef TASK_5
#define TASK_5(a) WAIT(a, TASK, 5)
#endif
#if N >= 6
#undef TASK_6
#define TASK_6(a) WAIT(a, TASK, 6)
#endif

active proctype everybody() {
end:
  do
  :: d_step { can_act(1) -> end_all() }
  STEPS(1)
#if N >= 2
  :: d_step { can_act(2) -> leave(2) }
  STEPS(2)
#endif
#if N >= 3
  :: d_step { can_act(3) -> leave(3) }
  STEPS(3)
#endif
#if N >= 4
  :: d_step { can_act(4) -> leave(4) }
  STEPS(4)
#endif
#if N >= 5
  :: d_step { can_act(5) -> leave(5) }
  STEPS(5)
#endif
#if N >= 6
  :: d_step { can_act(6) -> leave(6) }
  STEPS(6)
#endif
  od
}
