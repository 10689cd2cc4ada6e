import { type PackContent, recordsOf } from '#store/trail/trail-pack.ts';
import type { SimulatedDatabase } from './database.ts';
import { claim, counter, INITIAL, mark, REGISTERS, refused, register, type StoreCall, succeeded } from './store-calls.ts';

/**
 * Response to a call. After `unknown`, the change may or may not be committed. `failed` is an error after which the
 * change must not be committed.
 */
export type StoreOutcome = 'acknowledged' | 'refused' | 'failed' | 'unknown';

export interface Answered {
  readonly call: StoreCall;
  readonly outcome: StoreOutcome;
  /** Result of an acknowledged call. */
  readonly value?: number;
}

interface Found {
  readonly names: ReadonlyMap<string, string>;
  readonly records: ReadonlyMap<string, number>;
}

/**
 * Compares the responses with the database, and returns the first contradiction.
 *
 * - acknowledged: the database has the change and one record of its success
 * - refused or failed: the database has neither the change nor a record of a success
 * - unknown: the database has both the change and one record, or neither
 */
export function auditStore(database: SimulatedDatabase, answers: readonly Answered[]): string | undefined {
  const names = new Map(
    database
      .rows<{ name: string; value: string }>(
        "SELECT name, value FROM meta UNION ALL SELECT key, document FROM identity_document WHERE kind = 'group'",
      )
      .map(({ name, value }) => [name, value]),
  );
  const records = new Map<string, number>();
  for (const pack of database.rows<PackContent>('SELECT heads, documents FROM trail_pack'))
    for (const { eventId } of recordsOf(pack)) records.set(eventId, (records.get(eventId) ?? 0) + 1);
  const found: Found = { names, records };
  for (const [id, count] of records) if (count > 1) return `the record '${id}' is in the trail ${count} times`;
  for (const answered of answers) {
    const wrong = auditCall(found, answered);
    if (wrong !== undefined) return `call ${answered.call.index} (${answered.call.kind}) was ${answered.outcome}, but ${wrong}`;
  }
  return auditRegisters(found, answers) ?? auditVersions(database);
}

function auditCall({ names, records }: Found, { call, outcome, value }: Answered): string | undefined {
  const success = records.has(succeeded(call));
  if (outcome === 'acknowledged' && !success) return 'its record is missing';
  if ((outcome === 'refused' || outcome === 'failed') && success) return 'a record says that it succeeded';
  if (outcome === 'refused' && !records.has(refused(call))) return 'the record of the refusal is missing';
  if (outcome === 'acknowledged' && records.has(refused(call))) return 'a record says that it was refused';
  switch (call.kind) {
    case 'claim':
      return (names.get(claim(call)) === succeeded(call)) === success ? undefined : 'the name and the record disagree';
    case 'transfer':
    case 'identity':
      return names.has(mark(call)) === success ? undefined : 'the change and the record disagree';
    case 'refuse':
    case 'ignored failure':
      return names.has(mark(call)) || success ? 'its change is committed' : undefined;
    case 'sum':
      return outcome === 'acknowledged' && value !== REGISTERS * INITIAL ? `it read ${value}, which no serial order allows` : undefined;
    case 'increment':
    case 'look':
    case 'record':
      return undefined;
  }
}

/** Checks that counters equal the number of increments, and that transfers preserve the sum of the registers. */
function auditRegisters({ names, records }: Found, answers: readonly Answered[]): string | undefined {
  const increments = answers.filter(({ call }) => call.kind === 'increment');
  for (let n = 0; n < REGISTERS; n++) {
    const own = increments.filter(({ call }) => call.registers[0] === n);
    const committed = own.filter(({ call }) => records.has(succeeded(call))).length;
    if (names.get(counter(n)) !== `${committed}`) return `counter ${n} is ${names.get(counter(n))} after ${committed} increments`;
    const values = own.flatMap(({ value, outcome }) => (outcome === 'acknowledged' && value !== undefined ? [value] : []));
    const looks = answers.filter(({ call, outcome }) => call.kind === 'look' && call.registers[0] === n && outcome === 'acknowledged');
    if (looks.some(({ value = -1 }) => value < 0 || value > committed)) return `a read of counter ${n} returned a value that it never had`;
    if (new Set(values).size !== values.length) return `two increments of counter ${n} have the same result`;
  }
  const sum = Array.from({ length: REGISTERS }, (_, n) => Number(names.get(register(n)))).reduce((a, b) => a + b, 0);
  return sum === REGISTERS * INITIAL ? undefined : `the registers have the sum ${sum}`;
}

/** Checks that each identity change has a unique version, and that the version counter equals the last version. */
function auditVersions(database: SimulatedDatabase): string | undefined {
  const versions = database.rows<{ version: number }>('SELECT version FROM identity_document').map(({ version }) => version);
  if (new Set(versions).size !== versions.length) return 'two changes of identity have the same version';
  const [{ value } = { value: 0 }] = database.rows<{ value: number }>("SELECT value FROM counter WHERE name = 'identity'");
  return value === Math.max(0, ...versions) ? undefined : `the version of identity is ${value}, and the last change has another`;
}
