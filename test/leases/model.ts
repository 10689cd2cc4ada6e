/**
 * Model of the lease protocol as a small state machine. `explore` visits all interleavings of the following steps:
 *
 * - a writer withdraws a permission and waits
 * - a server loads, registers, polls, acknowledges and stops, and polls are lost or late
 * - an operator removes servers
 *
 * A state contains time only as ages and remaining times. All values above a maximum have the same effect and are
 * stored as the maximum. So the state space is finite, and the search ends without a time limit.
 *
 * Guarantee: after a withdrawal has returned, every server with a lease has applied the withdrawal.
 *
 * A poll returns the latest version of the identity records. The server gets a lease only after the database has stored
 * the server's acknowledgment of this version. A withdrawal waits until every server has acknowledged the withdrawal,
 * or until all leases older than the withdrawal have ended. In the second case, a server that did not acknowledge has
 * no lease, and gets no lease before it registers again. The withdrawal expires such a server: it deletes the server's
 * row, so that later withdrawals do not wait for the server.
 *
 * `model-polls.ts` has the steps of a server's poll. `model-steps.ts` has all other steps.
 */
import { type Bounds, type Fault, keyOf, newProtocol } from './model-state.ts';
import { broken, stepsFrom } from './model-steps.ts';

export type { Bounds, Fault } from './model-state.ts';

/** Result of an exploration. */
export interface Verdict {
  /** Number of distinct states. */
  readonly states: number;
  /** Names of the steps to a state that breaks the guarantee. Undefined if there is none. */
  readonly violation: readonly string[] | undefined;
}

/**
 * Visits all states of the model with one fault, and stops at the first state that breaks the guarantee.
 *
 * @throws Error  the model has more than `statesMax` states
 */
export function explore(bounds: Bounds, fault: Fault, statesMax = 3_000_000): Verdict {
  const protocol = newProtocol(bounds, fault);
  const start = new Array<number>(protocol.serverAt(bounds.servers)).fill(0);
  const seen = new Set([keyOf(protocol, start)]);
  const states: number[][] = [start];
  const from: number[] = [-1];
  const names: string[] = [''];
  let violation: readonly string[] | undefined;
  for (let i = 0; i < states.length && violation === undefined; i++) {
    stepsFrom(protocol, states[i] as number[], (name, state) => {
      const key = keyOf(protocol, state);
      if (violation !== undefined || seen.has(key)) return;
      if (states.length >= statesMax) throw new Error(`The model has more than ${statesMax} states.`);
      seen.add(key);
      states.push(state);
      from.push(i);
      names.push(name);
      if (!broken(protocol, state)) return;
      const steps: string[] = [];
      for (let at = states.length - 1; at > 0; at = from[at] as number) steps.unshift(names[at] as string);
      violation = steps;
    });
  }
  return { states: states.length, violation };
}
