import type { Mutant } from '../mutant.ts';

const POSTGRES = '/src/store/engine/postgres.ts';
const BATCH = '/src/store/trail/trail-batch.ts';

/** A fault that the simulation must find, and the violation that it causes. */
export interface SimulatedMutant extends Mutant {
  readonly violation: RegExp;
}

/** Faults of the PostgreSQL engine. */
// biome-ignore format: a table
export const STORE_MUTANTS: Readonly<Record<string, SimulatedMutant>> = {
  // A COMMIT that failed with a serialization error released its connection, and the ROLLBACK released it again.
  'a connection released twice':            { module: POSTGRES, text: '      client = undefined;\n',                    instead: '',                                       violation: /released twice|after the release/ },
  'a broken connection kept':               { module: POSTGRES, text: 'taken.release(!isAnswer(error));',             instead: 'taken.release(false);',                  violation: /released as usable|during a statement/ },
  'a rolled back COMMIT acknowledged':      { module: POSTGRES, text: "answered.command === 'ROLLBACK'",              instead: "answered.command === ''",                violation: /acknowledged, but/ },
  'a lost COMMIT run again':                { module: POSTGRES, text: 'if (!CONFLICT.has(codeOf(error))) throw error;', instead: '',                                     violation: /times|sum|counter|result|disagree|says that/ },
  'a lost COMMIT reported as a failure':    { module: POSTGRES, text: 'isAnswer(error) || !wrote) throw error;',      instead: 'error) throw error;',                    violation: /says that it succeeded/ },
  'a change committed without its record':  { module: POSTGRES, text: 'if (wrote()) await run.flush();',              instead: '',                                       violation: /disagree|counter|committed/ },
  'a record acknowledged before it is kept': { module: POSTGRES, text: 'await record(run.pending);',                  instead: 'void record(run.pending).catch(() => {});', violation: /record is missing/ },
  'a conflict reported to the caller':      { module: POSTGRES, text: "const CONFLICT = new Set(['40001', '40P01']);", instead: "const CONFLICT = new Set(['40P01']);",  violation: /conflict reached/ },
  'a lost batch of records written again':  { module: BATCH,    text: 'batch.length > 1 && wroteNothing(error)',      instead: 'batch.length > 1',                       violation: /in the trail \d+ times/ },
};
