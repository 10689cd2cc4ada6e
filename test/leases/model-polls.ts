/**
 * Steps of a server's poll in the lease model: the request, the response, and the changes of the server's state. A poll
 * is the query with which a server reads new changes and renews its lease.
 */
import {
  ABSENT,
  ACK,
  ACKED,
  ACKNOWLEDGING,
  ACTIVE,
  APPLIED,
  type Change,
  commitsAfter,
  committedOf,
  DONE,
  HALF,
  highestOf,
  KNOWS,
  LAST,
  LEASE,
  LOADED,
  NO_POLL,
  POLL,
  POLL_AGE,
  POLL_ROWS,
  POLL_SAW,
  type Protocol,
  REGISTERED,
  ROW,
  ROW_AGE,
  SENT,
  STORED,
  type State,
} from './model-state.ts';

/** Emits the steps of the poll of server `n`. */
export function pollSteps(protocol: Protocol, s: State, n: number, change: Change): void {
  const { fault, lease, serverAt } = protocol;
  const at = serverAt(n);
  const of = (field: number): number => s[at + field] as number;
  switch (of(POLL)) {
    case NO_POLL:
      // The first poll loads all identity records. Then the server registers, and polls again. So no withdrawal waits
      // for a server that is still loading.
      if (of(LOADED) === 0 || of(REGISTERED) === 1) change(`server ${n} polls`, at + POLL, SENT, at + POLL_AGE, 0);
      else change(`server ${n} registers`, at + REGISTERED, 1, at + ROW, ACTIVE, at + ROW_AGE, 0, at + APPLIED, of(LAST), at + ACK, 0);
      return;
    case SENT:
    case HALF:
      change(...responseStep(protocol, s, n));
      break;
    case DONE:
      change(...applyStep(protocol, s, n));
      break;
    case STORED:
      change(`server ${n} has its lease`, at + LEASE, leaseLeft(protocol, of(POLL_AGE)), ...noPoll(at));
  }
  const opened = fault === 'fail open' && of(LOADED) === 1 ? [at + LEASE, lease] : [];
  change(`the poll of server ${n} is lost`, ...noPoll(at), ...opened);
}

/**
 * Returns the remaining ticks of the lease that a poll gives. `pollAge` is the number of ticks since the poll was sent.
 */
const leaseLeft = ({ fault, lease }: Protocol, pollAge: number): number => (fault === 'lease from the response' ? lease : lease - pollAge);

const noPoll = (at: number) => [at + POLL, NO_POLL, at + POLL_AGE, 0, at + POLL_ROWS, 0, at + POLL_SAW, 0, at + ACKED, 0];

/** Returns the changes of fields for a server that loses its lease and its registration. */
const unregistered = (at: number) => [
  ...[at + LEASE, 0, at + REGISTERED, 0, at + ROW, ABSENT, at + ROW_AGE, 0, at + APPLIED, 0, at + ACK, 0],
  ...noPoll(at),
];

/** Arguments of a call of `Change`: the name of a step, and the changed fields with their new values. */
type Step = Parameters<Change>;

/** Returns the step in which the database executes the poll: it reads the rows, the version and the registration. */
function responseStep(protocol: Protocol, s: State, n: number): Step {
  const { fault, replica, serverAt } = protocol;
  const at = serverAt(n);
  const of = (field: number): number => s[at + field] as number;
  const source = fault === 'asynchronous replica' ? (s[replica] as number) : committedOf(protocol, s);
  const version = highestOf(protocol, s, source);
  const acked = of(ROW) !== ABSENT && of(APPLIED) >= version ? 1 : 0;
  // One number encodes both the version and the registration state that the poll read. `applyStep` decodes it.
  const saw = [at + POLL, DONE, at + POLL_SAW, version * 3 + of(ROW), at + ACKED, acked];
  if (of(POLL) === HALF) return [`the version for server ${n} is read`, ...saw];
  const rows = [at + POLL_ROWS, commitsAfter(protocol, s, source, of(LOADED) === 1 ? of(LAST) : 0)];
  if (fault === 'two snapshots') return [`the rows for server ${n} are read`, at + POLL, HALF, ...rows];
  const early = fault === 'acknowledged before applied' && of(ROW) !== ABSENT ? [at + APPLIED, version] : [];
  return [`server ${n} receives the response`, ...saw, ...rows, ...early];
}

/**
 * Returns the step in which the server uses a response. If the server's row is not active, the server registers again.
 * If the version in the response is older than the server's, the server loads all records again. Otherwise, the server
 * applies the changes.
 */
function applyStep(protocol: Protocol, s: State, n: number): Step {
  const { fault, serverAt } = protocol;
  const at = serverAt(n);
  const of = (field: number): number => s[at + field] as number;
  const [version, registration] = [Math.floor(of(POLL_SAW) / 3), of(POLL_SAW) % 3];
  if (of(LOADED) === 0) return [`server ${n} has loaded`, at + LOADED, 1, at + KNOWS, of(POLL_ROWS), at + LAST, version, ...noPoll(at)];
  if (registration !== ACTIVE && fault !== 'lease without registration') return [`server ${n} must register again`, ...unregistered(at)];
  if (version < of(LAST)) return [`server ${n} must load again`, at + LOADED, 0, at + KNOWS, 0, at + LAST, 0, ...unregistered(at)];
  const taken = [at + KNOWS, of(KNOWS) | of(POLL_ROWS), at + LAST, version];
  const lease = [at + LEASE, leaseLeft(protocol, of(POLL_AGE)), ...noPoll(at)];
  if (fault === 'lease before the acknowledgement')
    return [`server ${n} applies`, ...taken, ...lease, at + ACK, Math.max(of(ACK), version)];
  if (of(ACKED) === 1) return [`server ${n} applies`, ...taken, ...lease];
  return [`server ${n} applies`, ...taken, at + ACK, version, at + POLL, ACKNOWLEDGING, at + POLL_SAW, 0, at + POLL_ROWS, 0];
}
