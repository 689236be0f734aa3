/*
 * The hand-over of docs/design/handover.md, for Spin: `make model` checks it exhaustively at the sizes that
 * tests/model/__main__.py lists, and checks that it goes red when a rule is broken. Last result: proofs.md.
 *
 * Checked always
 *   lost       an accepted reading is in the spool, or a row, or in a Gap because the spool overflowed; one that was
 *              dropped and is in no Gap yet has a younger neighbour of its epoch in the spool, whose floor will tell.
 *   twice      no (epoch, seq) has two rows.
 *   ahead      neither `handled` nor a watermark that was published passes a reading that is no row and in no Gap.
 *   false_gap  what is in a Gap was dropped by the bridge, and is no row.
 * Checked with FAIR: after finitely many faults, of whatever number, the spool empties.
 *
 * Two networks
 *   The worst one (default). It keeps all that was ever sent and delivers anything of it at any time, in any order,
 *   as often as it likes, or never. That is a broker that drops, repeats, reorders, forgets, confirms and then loses;
 *   nothing has to be counted, and nothing else that a broker does is left. A watermark likewise.
 *   The fair one (-DFAIR). Two bounded queues and a process that does all this to them until it stops (`calm`), at
 *   any time; from then on each process that can go on does (spin's weak fairness).
 *
 * Choices
 *   - Every transaction is one step: sqlite's and the database's commits are atomic, the store's holds the lock on
 *     its Epoch row. What a crash can come between is steps of their own.
 *   - The bridge's watermark received and its delete are one step: a crash between them is a lost watermark, an
 *     interval between them a slower one.
 *   - The worker's acknowledgement of the broker is no step: the broker forgets and repeats with and without it. That
 *     all is green says that nothing rests on it. A worker's redelivery after its crash is a message repeated before.
 *   - Connection lost, time without progress: what was not released is `spooled` again. In the worst network both
 *     happen at any time; in the fair one the second always can, so patience is never assumed to be long enough.
 *   - A PUBACK may come for anything sent over this connection, arrived or not, or never.
 *   - With ENDLESS the second epoch never ends: once all of it is settled its numbers stand for the readings that
 *     follow. The first epoch must be released all the same.
 *   - Data and DeadLetter are one thing here, a row: what is refused is handled in the same transaction.
 *   - `floor` acts on duplicates too, or a hole would wait for the next new reading.
 *   - Overflow passes by the last reading of an earlier epoch: no later one could say that it is gone (DROP_TAIL).
 *
 * Not modelled: several meters (they share nothing but the window and the spool's bound), time, the contents,
 * `release: auto | puback` and `since`, durability less than strict at a power cut, a spool or a database that is set
 * aside or restored, retention that deletes rows, a store that is an observer, strangers who publish.
 *
 * Broken on purpose, one rule each, and each must go red:
 *   RELEASE_ON_PUBACK        the broker's word is taken for the store's
 *   WATERMARK_BEFORE_COMMIT  the store promises what it has not committed
 *   NO_UNIQUE_KEY            a repeated message is a second row
 *   KEEP_GAP                 a row that lands late leaves its Gap as it is
 *   DROP_TAIL                overflow drops the last reading of an earlier epoch: nothing will ever say so
 *   PLAIN_WATERMARK          the watermark's epoch is not looked at
 * and with FAIR
 *   NO_REPEAT                no watermark for duplicates
 *   FLOOR_AT_ACCEPT          floor is that of the moment of acceptance, not of sending
 *   SHARED_STATUS            one worker's death leaves the whole store off line, and nothing is sent again to such a store
 *   PROGRESS_OF_ANY          one patience for all epochs: a stream of new readings keeps an old one waiting for ever
 *   FORGET_SENT              with "spooled again" the bridge forgets what it had sent, and believes no watermark of it;
 *                            the spool then empties only if connections and patience outlast sending all again
 *
 * To see how one goes red, after `make model`, with the flags of its row as -D options:
 *   cd build/model/NAME && spin -t -k handover.pml.trail -g -p FLAGS ../../../docs/design/handover.pml
 * A standstill's way is not the shortest; a broken assertion's is.
 */

#ifndef N0
#define N0 2 /* readings of the first epoch: 1..3 */
#endif
#ifndef N1
#define N1 1 /* and of the one after the bridge's crash: 0..3; later crashes start none */
#endif
#ifndef CAPACITY
#define CAPACITY 2 /* readings that the spool holds: at least 2, one for each epoch's last */
#endif
#ifndef WINDOW
#define WINDOW 2 /* readings without PUBACK */
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef BATCH
#define BATCH 1
#endif
#ifndef QUEUE
#define QUEUE 2 /* length of the fair network's queues */
#endif

#define SEQS 3
#define ALL 6
#define K(e, s) ((e) * SEQS + (s) - 1)
#define LIMIT (cur == 0 -> N0 : (cur == 1 -> N1 : 0))
#define NEXT (cur * SEQS + accepted[cur])
#define CAN_READ (cur < 2 && accepted[cur] < LIMIT)

mtype = { none, read, spooled, sent, published, released, dropped };

#define HELD(k) (state[k] == spooled || state[k] == sent || state[k] == published)
#define ANY(what) \
	(state[0] == what || state[1] == what || state[2] == what || state[3] == what || state[4] == what || state[5] == what)
#define COUNT(what) ((state[0] == what) + (state[1] == what) + (state[2] == what) + \
	(state[3] == what) + (state[4] == what) + (state[5] == what))
#define EMPTY_0 (!HELD(0) && !HELD(1) && !HELD(2))
#define EMPTY_1 (!HELD(3) && !HELD(4) && !HELD(5))

/* The bridge. `delivered` and `handled` are the store's; a reading is in one of these besides. */
mtype state[ALL] = none;
byte cur; /* epoch */
byte accepted[2]; /* the last seq of each epoch */
#ifdef FLOOR_AT_ACCEPT
byte floor_then[ALL];
#endif

/* The database: rows, Gap and Epoch.handled. */
byte row[ALL];
bit gap[ALL];
byte handled[2];

#ifdef FAIR
chan wire = [QUEUE] of { byte, byte, byte }; /* epoch, seq, floor */
chan marks = [QUEUE] of { byte, byte }; /* epoch, handled */
bool calm, gone; /* no more faults; a worker died for good */
#else
bit wire[18];
bit marks[ALL];
#define calm false
#endif
#ifdef ENDLESS
bit quiet[2]; /* no progress of the epoch since the timer last looked */
bool busy; /* the worker (one, here) has something in hand */
#endif

bool lost, twice, ahead, false_gap;
#ifndef SCRATCH
#define SCRATCH hidden /* no part of a state; Spin's breadth-first search wants it empty */
#endif
SCRATCH byte i, j, m, floor;
SCRATCH byte younger, new;
SCRATCH byte touched[2];

inline check() {
	i = ALL;
	younger = false;
	do
	:: i > 0 ->
		i--;
		if
		:: i == 2 -> younger = false
		:: else
		fi;
		lost = lost || (!row[i] && !gap[i] && (state[i] == released || (state[i] == dropped && !younger)));
		twice = twice || row[i] > 1;
		false_gap = false_gap || (gap[i] && (row[i] || state[i] != dropped));
		ahead = ahead || (i % SEQS < handled[i / SEQS] && !row[i] && !gap[i]);
		younger = younger || HELD(i)
	:: else -> break
	od;
	i = 0;
	assert(!lost);
	assert(!twice);
	assert(!ahead);
	assert(!false_gap)
}

/* --- the bridge ------------------------------------------------------------------------------------------------ */

inline accept() {
	accepted[cur]++;
	state[K(cur, accepted[cur])] = spooled;
	if
	:: COUNT(spooled) + COUNT(sent) + COUNT(published) > CAPACITY ->
		i = 0;
		do
#ifdef DROP_TAIL
		:: HELD(i) -> break
#else
		:: HELD(i) && !(i / SEQS < cur && i % SEQS + 1 == accepted[i / SEQS]) -> break
#endif
		:: else -> i++
		od;
		state[i] = dropped
	:: else
	fi;
#ifdef FLOOR_AT_ACCEPT
	oldest_of(cur);
	floor_then[K(cur, accepted[cur])] = floor;
#endif
	check()
}

inline oldest_of(e) {
	floor = 1;
	do
	:: HELD(K(e, floor)) -> break
	:: else -> floor++
	od
}

inline send() { /* the oldest that waits */
	i = 0;
	do
	:: state[i] == spooled -> break
	:: else -> i++
	od;
	state[i] = sent;
#ifdef FLOOR_AT_ACCEPT
	floor = floor_then[i];
#else
	oldest_of(i / SEQS);
#endif
#ifdef FAIR
	if
	:: nfull(wire) -> wire!i / SEQS, i % SEQS + 1, floor
	:: full(wire) -> skip /* lost; never once it is calm */
	fi;
#else
	wire[i * SEQS + floor - 1] = 1;
#endif
	i = 0;
	floor = 0
}

inline again(e) { /* the connection's end, a start of the bridge, or no progress */
	j = 0;
	do
	:: j < SEQS ->
		if
		:: state[e * SEQS + j] == sent || state[e * SEQS + j] == published -> state[e * SEQS + j] = spooled
		:: else
		fi;
		j++
	:: else -> break
	od;
	j = 0
}

inline crash() { /* all is lost but the spool; an epoch without a reading is as good as the next */
	again(0);
	again(1);
	if
	:: CAN_READ && state[NEXT] == read -> state[NEXT] = none
	:: else
	fi;
	if
	:: cur < 2 && accepted[cur] > 0 -> cur++
	:: else
	fi
}

inline puback(k) {
#ifdef RELEASE_ON_PUBACK
	state[k] = released;
	check()
#else
	state[k] = published
#endif
}

inline release(e, upto) {
	j = 0;
	do
	:: j < upto ->
		if
		:: HELD(e * SEQS + j) ->
			state[e * SEQS + j] = released;
#ifdef ENDLESS
			quiet[e] = 0;
#ifdef PROGRESS_OF_ANY
			quiet[0] = 0;
			quiet[1] = 0;
#endif
#endif
		:: else
		fi;
		j++
	:: else -> break
	od;
	j = 0;
	check()
}

#define PUBACK(k) :: d_step { state[k] == sent -> puback(k) }

active proctype Bridge() {
end:	do
	:: d_step { CAN_READ && state[NEXT] == none -> state[NEXT] = read }
	:: d_step { CAN_READ && state[NEXT] == read -> accept() }
#ifdef FAIR
	:: d_step { ANY(spooled) && COUNT(sent) < WINDOW && (nfull(wire) || !calm) -> send() }
#else
	:: d_step { ANY(spooled) && COUNT(sent) < WINDOW -> send() }
#endif
	PUBACK(0) PUBACK(1) PUBACK(2) PUBACK(3) PUBACK(4) PUBACK(5)
#ifdef ENDLESS
	/* All that was read since is settled: it may be forgotten, and the same numbers stand for the next readings. */
	:: d_step {
		cur == 1 && accepted[1] == N1 && EMPTY_1 && handled[1] == N1 && empty(wire) && empty(marks) && !busy ->
		j = SEQS;
		do
		:: j < ALL ->
			state[j] = none;
			row[j] = 0;
			gap[j] = 0;
			j++
		:: else -> break
		od;
		j = 0;
		accepted[1] = 0;
		handled[1] = 0
	}
#endif
	od
}

/* The watermark: releases up to it, of its epoch. A lower one that comes late finds nothing to release. */
active proctype Receiver() {
#ifdef FAIR
	byte e, w;
end:	do
#ifdef FORGET_SENT
	:: d_step {
		marks?e, w ->
		if
		:: e == cur && state[K(e, w)] == spooled -> skip
		:: else -> release(e, w)
		fi;
		e = 0;
		w = 0
	}
#else
	:: d_step { marks?e, w -> release(e, w); e = 0; w = 0 }
#endif
	od
#else
#define EMPTY_TO(e, w) (!HELD(K(e, 1)) && (w < 2 || !HELD(K(e, 2))) && (w < 3 || !HELD(K(e, 3))))
#ifdef PLAIN_WATERMARK
#define MARK(e, w) :: d_step { marks[K(e, w)] && !(EMPTY_TO(0, w) && EMPTY_TO(1, w)) -> release(0, w); release(1, w) }
#else
#define MARK(e, w) :: d_step { marks[K(e, w)] && !EMPTY_TO(e, w) -> release(e, w) }
#endif
end:	do
	MARK(0, 1) MARK(0, 2) MARK(0, 3) MARK(1, 1) MARK(1, 2) MARK(1, 3)
	od
#endif
}

/* Time without progress, of each epoch for itself. */
active proctype Timer() {
#ifdef SHARED_STATUS
#define STORE_IS_THERE (!gone)
#else
#define STORE_IS_THERE true
#endif
#ifdef ENDLESS
#define LOOK(e) \
	if \
	:: (state[K(e, 1)] == sent || state[K(e, 1)] == published || state[K(e, 2)] == sent || \
	    state[K(e, 2)] == published || state[K(e, 3)] == sent || state[K(e, 3)] == published) -> \
		if \
		:: quiet[e] -> again(e); quiet[e] = 0 \
		:: else -> quiet[e] = 1 \
		fi \
	:: else \
	fi
#else
#define LOOK(e) again(e)
#endif
end:	do
#ifdef FAIR
	:: d_step { (ANY(sent) || ANY(published)) && STORE_IS_THERE -> LOOK(0); LOOK(1) }
	:: !((ANY(sent) || ANY(published)) && STORE_IS_THERE) /* time goes on: a standstill is a cycle too */
#else
	:: d_step { ANY(sent) || ANY(published) -> again(0) }
	:: d_step { ANY(sent) || ANY(published) -> again(1) }
#endif
	od
}

/* --- the store ------------------------------------------------------------------------------------------------- */

/* One transaction: insert what is not there, advance over what is, give up on what lies below the floor. */
inline commit() {
	i = 0;
	do
	:: i < n ->
		m = K(epoch[i], seq[i]);
		new = false;
		if
#ifdef NO_UNIQUE_KEY
		:: row[m] < 2 ->
#else
		:: row[m] == 0 ->
#endif
			row[m]++;
#ifndef KEEP_GAP
			gap[m] = 0;
#endif
			new = true
		:: else
		fi;
#ifdef NO_REPEAT
		touched[epoch[i]] = touched[epoch[i]] || new;
#else
		touched[epoch[i]] = 1;
#endif
		i++
	:: else -> break
	od;
	i = 0;
	do
	:: i < n ->
		do
		:: low[i] > handled[epoch[i]] + 1 || (handled[epoch[i]] < SEQS && row[K(epoch[i], handled[epoch[i]] + 1)]) ->
			handled[epoch[i]]++;
			m = K(epoch[i], handled[epoch[i]]);
			gap[m] = gap[m] || !row[m]
		:: else -> break
		od;
		i++
	:: else -> break
	od;
	i = 0;
	do
	:: i < n ->
		mark[epoch[i]] = (touched[epoch[i]] -> handled[epoch[i]] : 0);
		epoch[i] = 0;
		seq[i] = 0;
		low[i] = 0;
		i++
	:: else -> break
	od;
	n = 0;
	m = 0;
	new = false;
	touched[0] = 0;
	touched[1] = 0;
	check()
}

inline publish(e) {
	j = 0;
	do
	:: j < mark[e] -> ahead = ahead || (!row[e * SEQS + j] && !gap[e * SEQS + j]); j++
	:: else -> break
	od;
	j = 0;
	assert(!ahead);
#ifdef FAIR
	if
	:: nfull(marks) -> marks!e, mark[e]
	:: full(marks) -> skip
	fi;
#else
	marks[K(e, mark[e])] = 1;
#endif
	mark[e] = 0
}

inline forget() { /* a crash: all that the worker had in hand */
	i = 0;
	do
	:: i < BATCH ->
		epoch[i] = 0;
		seq[i] = 0;
		low[i] = 0;
		i++
	:: else -> break
	od;
	n = 0;
	i = 0;
	mark[0] = 0;
	mark[1] = 0
}

#define MARKED (mark[0] || mark[1])
#ifdef ENDLESS
#define NOTE busy = n > 0 || MARKED
#else
#define NOTE skip
#endif
#define TAKE(e, s, f) :: d_step { \
	n < BATCH && !MARKED && wire[(K(e, s)) * SEQS + f - 1] -> \
	epoch[n] = e; seq[n] = s; low[n] = f; n++ }

active [WORKERS] proctype Worker() {
	byte n; /* `delivered`: a batch of so many */
	byte epoch[BATCH], seq[BATCH], low[BATCH];
	byte mark[2]; /* `handled` as the transaction read it: still to be published */

end:	do
	/* take */
#ifdef FAIR
	:: d_step { n < BATCH && !MARKED && nempty(wire) -> wire?epoch[n], seq[n], low[n]; n++; NOTE }
#else
	TAKE(0, 1, 1) TAKE(0, 2, 1) TAKE(0, 2, 2) TAKE(0, 3, 1) TAKE(0, 3, 2) TAKE(0, 3, 3)
	TAKE(1, 1, 1) TAKE(1, 2, 1) TAKE(1, 2, 2) TAKE(1, 3, 1) TAKE(1, 3, 2) TAKE(1, 3, 3)
#endif
#ifdef WATERMARK_BEFORE_COMMIT
	:: d_step {
		n > 0 && !MARKED && seq[0] == handled[epoch[0]] + 1 ->
		mark[epoch[0]] = seq[0];
		publish(epoch[0])
	}
#endif
	/* commit; a crash before it */
	:: d_step { n > 0 && !MARKED -> commit(); NOTE }
	/* publish; a crash before it */
#ifdef FAIR
	:: d_step { mark[0] && (nfull(marks) || !calm) -> publish(0); NOTE }
	:: d_step { mark[1] && (nfull(marks) || !calm) -> publish(1); NOTE }
	:: d_step { !calm && (n > 0 || MARKED) -> forget(); NOTE }
	:: d_step { !calm && !gone && WORKERS > 1 -> forget(); NOTE; gone = true } -> break
#else
	:: d_step { mark[0] -> publish(0) }
	:: d_step { mark[1] -> publish(1) }
	:: d_step { n > 0 || MARKED -> forget() }
#endif
	od
}

/* --- what goes wrong ------------------------------------------------------------------------------------------- */

active proctype Faults() {
#ifdef FAIR
	byte e, s, f;
	do
	:: d_step { true -> crash() }
	:: d_step { true -> again(0); again(1) }
	:: d_step { nempty(wire) -> wire?e, s, f; e = 0; s = 0; f = 0 }
	:: d_step { nempty(wire) && nfull(wire) -> wire?<e, s, f>; wire!e, s, f; e = 0; s = 0; f = 0 }
	:: d_step { len(wire) > 1 -> wire?e, s, f; wire!e, s, f; e = 0; s = 0; f = 0 }
	:: d_step { nempty(marks) -> marks?e, s; e = 0; s = 0 }
	:: d_step { len(marks) > 1 -> marks?e, s; marks!e, s; e = 0; s = 0 }
	:: calm = true -> break
	od
#else
end:	do
	:: d_step { cur < 2 || ANY(sent) || ANY(published) -> crash() }
	:: d_step { ANY(sent) || ANY(published) -> again(0); again(1) }
	od
#endif
}

#ifdef FAIR
#ifdef ENDLESS
ltl empties { (<> calm) -> <>[] EMPTY_0 }
#else
ltl empties { (<> calm) -> <>[] (EMPTY_0 && EMPTY_1) }
#endif
#endif
