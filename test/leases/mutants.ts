import type { Mutant } from '../mutant.ts';

const LEASE = '/src/access/lease.ts';
const TERM = '/src/access/lease-term.ts';
const REGISTRATION = '/src/access/registration.ts';
const RENEWALS = '/src/access/renewals.ts';
const WITHDRAWALS = '/src/access/withdrawals.ts';

/** Mutants of the lease protocol: faults that tests build into the product. Each replaces a string in a source file. */
// biome-ignore format: a table
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'no wait':                            { module: LEASE,        text: 'await settle(seen);',                           instead: 'void settle(seen);' },
  'fail open':                          { module: TERM,         text: 'if (at >= until) return false;',                instead: 'if (at >= until) return until > 0;' },
  'lease from the response':            { module: TERM,         text: 'until = from.monotonic + leaseMilliseconds;',   instead: 'until = clock.monotonic() + leaseMilliseconds;' },
  'the wall clock is ignored':          { module: TERM,         text: '<= leaseMilliseconds * DISAGREEMENT',           instead: '>= 0' },
  'registration is ignored':            { module: REGISTRATION, text: "renewal.registration !== 'active'",             instead: 'renewal.registration === undefined' },
  'trimming is ignored':                { module: REGISTRATION, text: 'renewal.trimmedTo > since ?',                   instead: 'renewal.trimmedTo < 0 ?' },
  'a later version is acknowledged':    { module: REGISTRATION, text: 'servers.acknowledge(id, renewal.version)',      instead: 'servers.acknowledge(id, renewal.version + 1)' },
  'a lease without acknowledgement':    { module: REGISTRATION, text: 'renewal.version > renewal.acknowledged',        instead: 'renewal.version < 0' },
  'expiry is not noticed':              { module: REGISTRATION, text: "outcome === 'absent'",                          instead: 'outcome === undefined' },
  'registered with a later version':    { module: REGISTRATION, text: 'clock.wall() }, snapshot.version());',          instead: 'clock.wall() }, snapshot.version() + 9);' },
  'a load with its last version':       { module: REGISTRATION, text: 'loading.complete(first.version);',               instead: 'loading.complete(page.version);' },
  'two concurrent renewals':            { module: RENEWALS,     text: 'running = one.catch(() => {});',                instead: 'running = undefined;' },
  'the wait is half as long':           { module: WITHDRAWALS,  text: 'committed + allLeasesDead - clock.monotonic()', instead: 'committed + allLeasesDead / 2 - clock.monotonic()' },
  'removed at once':                    { module: WITHDRAWALS,  text: 'clock.after(allLeasesDead, resolve)',           instead: 'clock.after(0, resolve)' },
  'one server may be behind':           { module: WITHDRAWALS,  text: 'behind(all, one.version).length === 0',         instead: 'behind(all, one.version).length <= 1' },
  'this server may be behind':          { module: WITHDRAWALS,  text: 'applied() >= one.version',                      instead: 'one.version > 0' },
};
