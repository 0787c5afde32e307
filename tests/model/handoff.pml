/* SPDX-License-Identifier: Apache-2.0
 *
 * The protocol of bus/crossing/handoff.h, step by step, on machines with store buffers
 * (TSO). Spin alone is sequentially consistent and would accept a protocol that
 * loses wakes on real hardware. So a plain store goes into its thread's FIFO
 * buffer, Drain moves it to memory at any later moment, and a read-modify-write
 * waits until its thread's buffer is empty, as a locked instruction does.
 *
 * PRODUCERS threads push MESSAGES messages each; each owns two nodes and pushes
 * them again once they come back, so addresses recur (ABA). The consumer takes,
 * arms, sleeps, is woken by pushers or for other reasons (SPURIOUS times),
 * empties its wake descriptor before or after it takes, and closes when all is
 * handled or at any moment before, with wakes in flight.
 *
 * Shown in every state:
 *   P1  a producer's messages are handled in order, with the content it wrote
 *   P3  no wake is lost: the consumer does not sleep for ever while a message
 *       is queued (that would be a deadlock, as no other event wakes it)
 *   P4  each wake belongs to an arm of its own: wakes <= sleeps
 *   P5  no wake enters the poller after Close() has returned
 *   P2  what was accepted is handled, once; Close() returns
 *
 * Mistakes to be rejected, by -D (tests/model/model_test.sh runs them all):
 *   FLAG            "sleeping" in a word of its own, no fence: wake lost.
 *                   With FLAG and FENCE it is right again: the control that the
 *                   store buffer is what rejects it
 *   NO_WAKE         a pusher forgets the wake that it promised
 *   CLOSE_AT_ONCE   Close() does not wait for the wakes in flight
 *   UNCOUNTED       the consumer forgets promises when a take finds them
 *   NO_NOTIFY       WakeDone() does not tell a waiting Close()
 *   DRAIN_ARMED     the consumer empties the wake descriptor once it has armed,
 *                   and with it a wake that its arm has just earned
 *   RELAXED         Push() does not release: nodes arrive before their content
 *
 * Not shown: machines weaker than TSO other than by RELAXED; for those the
 * reasons in the header at each operation stand. What the consumer does to a
 * node it owns (reversing the list) is not shared and is one step here.
 */

#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef MESSAGES
#define MESSAGES 3
#endif
#ifndef SPURIOUS
#define SPURIOUS 1
#endif

#define TOTAL (PRODUCERS * MESSAGES)
#define NODES (PRODUCERS * 2)

/* word: a state, or FIRST + the newest node */
#define EMPTY 0
#define ARMED 1
#define CLOSED 2
#define FIRST 3
#define IS_LIST(w) ((w) >= FIRST)

byte word = EMPTY;

/* wakes_done and its closing bit: one word in the header, one step here. The
 * count wraps, as it does there; it only must not wrap within those in flight. */
#define WRAP 4
byte wakes_done = 0;
bool closing = false;
bool close_waits = false; /* in std::atomic::wait */

/* Plain memory, behind store buffers: next[n] and content[n] of each node, and
 * `sleeping`, the second word of the FLAG mistake. */
#define NEXT(n) (n)
#define CONTENT(n) (NODES + (n))
#define SLEEPING (2 * NODES)
byte memory[2 * NODES + 1];

#define CONSUMER PRODUCERS
chan buffer[PRODUCERS + 1] = [2] of { byte, byte };

proctype Drain(byte thread) {
  byte where, what;
end:
  do
  :: atomic { buffer[thread]?where, what -> memory[where] = what; what = 0; where = 0 }
  od
}

#ifdef RELAXED
#define RELEASED(thread) true
#else
#define RELEASED(thread) empty(buffer[thread])
#endif

bool node_free[NODES];

/* The poller and its wake descriptor. */
bool poller_alive = true;
bool descriptor = false;

/* What only the properties look at. */
byte accepted = 0, refused = 0, handled = 0, ended = 0;
byte wakeable = 0; /* sleeps that a wake may still end */

proctype Producer(byte me) {
  byte k = 1, n, seen;
  do
  :: k > MESSAGES -> break
  :: atomic {
      k <= MESSAGES && (node_free[2 * me] || node_free[2 * me + 1]) ->
      n = (node_free[2 * me] -> 2 * me : 2 * me + 1);
      node_free[n] = false
    };
    buffer[me]!CONTENT(n), k;

    /* Push(); the first is a guess */
    seen = EMPTY;
retry:
    if
    :: IS_LIST(seen) -> buffer[me]!NEXT(n), seen
    :: else -> buffer[me]!NEXT(n), EMPTY
    fi;
    if
    :: seen == CLOSED ->
      atomic { refused++; node_free[n] = true }
    :: else ->
      atomic {
        RELEASED(me);
        if
        :: word != seen -> seen = word; goto retry
        :: else -> word = FIRST + n; accepted++
        fi
      };
#ifdef FLAG
      if
      :: memory[SLEEPING] == 0 -> seen = EMPTY
      :: else ->
        atomic {
          RELEASED(me);
          seen = (memory[SLEEPING] -> ARMED : EMPTY);
          memory[SLEEPING] = 0
        }
      fi;
#endif
      if
      :: seen == ARMED ->
#ifndef NO_WAKE
        /* Poller::Wake(): find the descriptor, then write to it. */
        assert(poller_alive);
        atomic {
          assert(poller_alive);
          descriptor = true;
#ifndef FLAG
          assert(wakeable > 0);
          wakeable--
#endif
        };
#endif
        /* WakeDone() */
        atomic {
          wakes_done = (wakes_done + 1) % WRAP;
          seen = closing
        };
#ifndef NO_NOTIFY
        if
        :: seen -> close_waits = false
        :: else
        fi
#endif
      :: else
      fi
    fi;
    atomic { k++; n = 0; seen = 0 }
  od;
  ended++
}

/* The consumer now owns a list: handle it, oldest first. */
inline Handle(list) {
  d_step {
    count = 0;
    do
    :: !IS_LIST(list) -> break
    :: else ->
      n = list - FIRST;
      taken[count] = n;
      count++;
      list = memory[NEXT(n)]
    od;
    do
    :: count == 0 -> break
    :: else ->
      count--;
      n = taken[count];
      taken[count] = 0;
      expected[n / 2]++;
      assert(memory[CONTENT(n)] == expected[n / 2]);
      memory[CONTENT(n)] = 0; /* dead now; fewer states */
      memory[NEXT(n)] = 0;
      node_free[n] = true;
      handled++
    od;
    n = 0;
    list = 0
  }
}

inline Disarm(left) {
  if
  :: armed && left != ARMED -> promised = (promised + 1) % WRAP
  :: armed && left == ARMED -> wakeable--
  :: else
  fi;
  armed = false
}

proctype Consumer() {
  byte seen = 0, n = 0, count = 0, promised = 0, spurious = SPURIOUS;
  byte taken[NODES], expected[PRODUCERS];
  bool armed = false, drain_late = false;
  do
  :: /* Take() */
    seen = word;
    if
    :: seen == EMPTY
    :: else ->
      atomic {
        empty(buffer[CONSUMER]);
        seen = word;
        word = EMPTY;
#ifdef UNCOUNTED
        wakeable = wakeable - (armed && seen == ARMED);
        armed = false
#else
        Disarm(seen)
#endif
      };
      Handle(seen)
    fi;
    if
    :: drain_late -> atomic { descriptor = false; drain_late = false }
    :: else
    fi;
    if
    :: handled == TOTAL -> break
#ifndef FLAG
    :: handled < TOTAL -> break /* stopped in the middle of things */
#endif
    :: handled < TOTAL ->
rearm:
#ifdef FLAG
      buffer[CONSUMER]!SLEEPING, 1;
#ifdef FENCE
      empty(buffer[CONSUMER]);
#endif
      if
      :: word == EMPTY
      :: else -> buffer[CONSUMER]!SLEEPING, 0; goto awake
      fi;
#else
      /* Arm() */
      atomic {
        empty(buffer[CONSUMER]);
        if
        :: word == (armed -> ARMED : EMPTY) ->
          if
          :: !armed -> wakeable++
          :: else
          fi;
          word = ARMED;
          armed = true
        :: else -> goto awake
        fi
      };
#endif
#ifdef DRAIN_ARMED
      descriptor = false;
#endif
      /* Poller::Wait() */
      if
      :: descriptor ->
        if
        :: descriptor = false
        :: drain_late = true
        fi
      :: spurious > 0 ->
        spurious--;
#ifndef FLAG
        if
        :: goto rearm
        :: skip
        fi
#endif
      fi;
#ifdef FLAG
      buffer[CONSUMER]!SLEEPING, 0;
#endif
awake:
      skip
    fi
  od;

#ifndef FLAG
  /* Close() */
  atomic {
    empty(buffer[CONSUMER]);
    seen = word;
    word = CLOSED;
    Disarm(seen)
  };
  Handle(seen);
  assert(handled == accepted);
#ifndef CLOSE_AT_ONCE
  atomic { seen = wakes_done; closing = true };
  do
  :: seen == promised -> break
  :: else ->
    atomic {
      if
      :: wakes_done == seen -> close_waits = true
      :: else
      fi
    };
    !close_waits;
    seen = wakes_done
  od;
#endif
  poller_alive = false;
#endif
  ended++
}

init {
  byte i = 0;
  atomic {
    do
    :: i == NODES -> break
    :: else -> node_free[i] = true; i++
    od;
    i = 0;
    do
    :: i == PRODUCERS -> break
    :: else -> run Producer(i); run Drain(i); i++
    od;
    run Consumer();
    run Drain(CONSUMER);
    i = 0
  };
  ended == PRODUCERS + 1;
  assert(accepted + refused == TOTAL);
  assert(handled == accepted)
}
