import type { Mutant } from '../mutant.ts';

const POSTGRES = '/src/store/engine/postgres.ts';
const CONNECTION = '/src/store/engine/postgres-connection.ts';
const ERRORS = '/src/store/engine/postgres-errors.ts';
const BATCH = '/src/store/trail/trail-batch.ts';

/** Mutant: a fault built into the product. The simulation must find it and report the violation. */
export interface SimulatedMutant extends Mutant {
  readonly violation: RegExp;
  /** First seed that the search tries, for a fault that only few seeds reveal. Default: 1. */
  readonly from?: number;
}

/** Faults that are built into the PostgreSQL engine. */
// biome-ignore format: a table
export const STORE_MUTANTS: Readonly<Record<string, SimulatedMutant>> = {
  // With this fault, a COMMIT that fails with a serialization error releases the connection, and the ROLLBACK
  // releases it again.
  'a connection released twice':            { module: CONNECTION, text: '    client = undefined;\n',                    instead: '',                                       violation: /released twice|after the release/ },
  'a broken connection kept':               { module: CONNECTION, text: "taken.release(!isAnswer(error));\n      if",     instead: 'taken.release(false);\n      if',           violation: /released as usable|during a statement/ },
  'a broken connection of a single read kept': { module: CONNECTION, text: 'taken.release(!isAnswer(error));\n    throw', instead: 'taken.release(false);\n    throw', violation: /released as usable|during a statement/, from: 8 },
  'a second statement without BEGIN':       { module: CONNECTION, text: 'if (alone !== undefined) throw',               instead: 'if (alone === null) throw',              violation: /acknowledged, but|counter|result|says that it succeeded/ },
  'a write without BEGIN':                  { module: CONNECTION, text: 'firstIsPlain = isPlainRead(text);',            instead: 'firstIsPlain = true || isPlainRead(text);', violation: /disagree|counter/, from: 6 },
  'a rolled back COMMIT acknowledged':      { module: CONNECTION, text: "answered.command === 'ROLLBACK'",              instead: "answered.command === ''",                violation: /acknowledged, but/ },
  'a lost COMMIT run again':                { module: POSTGRES, text: 'if (!CONFLICT.has(codeOf(error))) throw error;', instead: '',                                     violation: /times|sum|counter|result|disagree|says that/ },
  'a lost COMMIT reported as a failure':    { module: CONNECTION, text: 'isAnswer(error) || !wrote) throw error;',      instead: 'error) throw error;',                    violation: /says that it succeeded/, from: 20 },
  'a change committed without its record':  { module: POSTGRES, text: 'recordsInside = wrote() && run.records.length > 0;', instead: '',                                       violation: /disagree|counter|committed/ },
  'a record acknowledged before it is kept': { module: POSTGRES, text: 'await recordAlone(run);',                      instead: 'void recordAlone(run).catch(() => {});', violation: /record (of the refusal )?is missing/ },
  'a conflict reported to the caller':      { module: ERRORS, text: "const CONFLICT = new Set(['40001', '40P01']);", instead: "const CONFLICT = new Set(['40P01']);",  violation: /conflict reached/ },
  'a lost batch of records written again':  { module: BATCH,    text: 'batch.length > 1 && wroteNothing(error)',      instead: 'batch.length > 1',                       violation: /in the trail \d+ times/, from: 55 },
};

const CALL = '/src/server/core/call.ts';
const FAILURES = '/src/server/core/failures.ts';
const LEASE = '/src/access/lease.ts';
const TERM = '/src/access/lease-term.ts';
const WITHDRAWALS = '/src/access/withdrawals.ts';
const SYNCS = '/src/store/engine/log-syncs.ts';
const ONCE = '/src/services/kit/once.ts';
const SNAPSHOT = '/src/access/snapshot.ts';
const SIGN_IN_HTTP = '/src/server/sign-in/http.ts';

/** Faults that are built into other parts of the server. */
// biome-ignore format: a table
export const SERVER_MUTANTS: Readonly<Record<string, SimulatedMutant>> = {
  'a connection released twice by a server': { module: CONNECTION, text: '    client = undefined;\n',                   instead: '',                                     violation: /released twice|after the release/, from: 3 },
  'a success without a record':            { module: CALL,        text: 'await records.append(tx, facts, { authenticated, output });', instead: '',                              violation: /records of success/ },
  'a refusal without a record':            { module: FAILURES,    text: 'if (recorded) await append(tx, facts, outcome);', instead: '',                                  violation: /records of success and 0 of failure/ },
  'a success recorded before it happens':  { module: CALL,        text: 'await records.append(tx, facts, { authenticated, output });', instead: 'void store.transaction((other) => records.append(other, facts, { authenticated, output })).catch(() => {});', violation: /records of success|contrary/, from: 3 },
  'requests decided without a lease':      { module: TERM,        text: 'if (at >= until) return false;',             instead: 'if (at >= until) return until > 0;',   violation: /succeeded without|was refused/, from: 335 },
  'a withdrawal that does not wait':       { module: LEASE,       text: 'await settle(seen);',                         instead: 'void settle(seen);',                  violation: /succeeded without|was refused/, from: 20 },
  'one server behind is enough':           { module: WITHDRAWALS, text: 'behind(all, one.version).length === 0',      instead: 'behind(all, one.version).length <= 1', violation: /succeeded without|was refused/, from: 20 },
  'a token that is not remembered': { module: ONCE, text: 'if (before !== undefined && ', instead: "if (before !== undefined && before.requestHash === '' && ", violation: /created twice/, from: 7 },
  'a commit acknowledged before its sync': { module: SYNCS, text: 'const error = await ended;', instead: 'const error = null as Error | null;', violation: /records of success|contrary|without/, from: 195 },
  'a sign-in that outlives its user':      { module: SNAPSHOT,    text: 'text === undefined ? held.delete(change)', instead: "text === undefined ? (change.kind === 'user' ? undefined : held.delete(change))", violation: /succeeded without the sign-in|lives on/, from: 82 },
  'a sign-out that keeps the cookie':      { module: SIGN_IN_HTTP, text: "return cookie(request, name, '', 0);",      instead: 'return [];',                           violation: /sets no cookie/ },
};
