/**
 * Operations of IAM, Access Analyzer and Organizations on a store in memory, without authorization and without trail
 * records. Counts the characters that each transaction reads. The server in `test/kit/core.ts` also authorizes and
 * records requests, and therefore reads more than the operations themselves.
 */
import { openVault } from '#access/vault.ts';
import { ANALYSIS_LIMITS, newAnalysisThreads } from '#server/core/analysis-threads.ts';
import { loadRules } from '#server/core/configuration-rules.ts';
import { newContacts, newGate, newSmallAnalyses, withOffload } from '#server/core/offload.ts';
import { serverFacts } from '#server/core/server-facts.ts';
import { newSurveyGate } from '#server/core/survey-gate.ts';
import { readSettings } from '#server/settings.ts';
import { accessanalyzerOperations } from '#services/accessanalyzer/operations.ts';
import { iamOperations } from '#services/iam/operations.ts';
import { callOf } from '#services/kit/fixture.ts';
import type { Call, Operation } from '#services/kit/operation.ts';
import { organizationsOperations } from '#services/organizations/operations.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { nodeSqlite, type SqliteOpen } from '#store/engine/sqlite-driver.ts';
import type { Store } from '#store/store.ts';
import { decode } from '#wire/decode.ts';
import { requestForTests } from '#wire/request-for-tests.ts';
import { route } from '#wire/route.ts';
import type { HostileRequest } from './worst-analysis-requests.ts';

/** Reads of all transactions. */
export interface Reads {
  /** Characters that the largest transaction has read, plus `CHARACTERS_PER_STATEMENT` for each of its statements. */
  largest: number;
  transactions: number;
}

/**
 * Characters that the count adds for each statement. The store adds the same number when it counts the work of a
 * transaction.
 */
const CHARACTERS_PER_STATEMENT = 500;

/** Creates the operations on an empty store. */
export async function openCountedOperations() {
  const reads: Reads = { largest: 0, transactions: 0 };
  let current = 0;
  const counting: SqliteOpen = (path) => {
    const driver = nodeSqlite(path);
    const count = (rows: readonly Record<string, unknown>[]): void => {
      current += CHARACTERS_PER_STATEMENT;
      for (const row of rows) for (const value of Object.values(row)) if (typeof value === 'string') current += value.length;
      reads.largest = Math.max(reads.largest, current);
    };
    return {
      ...driver,
      prepare(text) {
        const statement = driver.prepare(text);
        return {
          ...statement,
          all(values) {
            const rows = statement.all(values);
            count(rows);
            return rows;
          },
          get(values) {
            const row = statement.get(values);
            count(row === undefined ? [] : [row]);
            return row;
          },
        };
      },
    };
  };
  const opened = await openSqlite(':memory:', { open: counting });
  const store: Store = {
    ...opened,
    transaction(work) {
      return opened.transaction((tx) => {
        current = 0;
        reads.transactions += 1;
        return work(tx);
      });
    },
  };
  const vault = openVault([new Uint8Array(32).fill(7)]);
  const threads = newAnalysisThreads({ ...ANALYSIS_LIMITS, waitingOfKey: 64 }, () => {});
  const tables: Readonly<Record<string, object>> = {
    iam: iamOperations({ vault }),
    accessanalyzer: accessanalyzerOperations({ kinds: [], loadRules, serverFacts: serverFacts(readSettings([], {})) }),
    organizations: organizationsOperations(),
  };
  const parts = {
    gate: newGate(1),
    contacts: newContacts({ most: 1, mostOfAccount: 1 }),
    surveyGate: newSurveyGate(),
    store,
    threads,
    smallAnalyses: newSmallAnalyses(),
  };

  /** Decodes and handles a request. Returns the output, or `undefined` for an operation of another service. */
  async function answer({ path, headers, body, signingName }: HostileRequest): Promise<unknown> {
    const received = requestForTests({ method: 'POST', target: path, scope: signingName, headers, body });
    const routed = route(received, { guide2021: false });
    if (routed.kind === 'refused') throw routed.error;
    const input = decode(routed, received);
    const table = tables[routed.service] as Readonly<Record<string, Operation<unknown, unknown>>> | undefined;
    const operation = table?.[routed.operation.name];
    if (operation === undefined) return undefined;
    return withOffload(parts, ({ offload, surveyFor, analyzeFor }) =>
      store.transaction(async (tx) => {
        const call: Call = callOf(tx, { offload, survey: surveyFor('1'), analyze: analyzeFor('1') });
        operation.access(input, call);
        return operation.handle(call, input);
      }),
    );
  }

  return { store, reads, answer, close: () => threads.close() };
}
