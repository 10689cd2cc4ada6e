import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Store } from '#store/store.ts';
import { type PackContent, recordsOf } from '#store/trail/trail-pack.ts';
import { CHECKED } from './checked-pool.ts';

const LOAD = join(import.meta.dirname, 'crash-load.ts');

/** A running process of `crash-load.ts`. */
export interface Load {
  readonly process: ChildProcess;
  /** Names of the changes and records whose writes the store has acknowledged so far. */
  readonly acknowledged: readonly string[];
  /** Resolves when the store has acknowledged at least `count` writes. Rejects if the process exits earlier. */
  atLeast(count: number): Promise<void>;
  /** Kills the process with SIGKILL. Resolves when it has exited and its output was read. */
  kill(): Promise<void>;
}

/** Starts a process that writes changes and records as fast as it can. */
export function startLoad(target: string, round: number, ...more: string[]): Load {
  const child = spawn(process.execPath, [...CHECKED, LOAD, target, String(round), ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: string[] = [];
  let wanted = Number.POSITIVE_INFINITY;
  let reached = (): void => {};
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    acknowledged.push(line);
    if (acknowledged.length >= wanted) reached();
  });
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return {
    process: child,
    acknowledged,
    atLeast(count) {
      return new Promise((resolve, reject) => {
        wanted = count;
        reached = resolve;
        ended.then(() => reject(new Error(`the process exited after ${acknowledged.length} of ${count} acknowledgements`)), reject);
        if (acknowledged.length >= count) resolve();
      });
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Parts of one change or record in the store. A change consists of all four parts, and a record only of `trail`. */
interface Found {
  identity: boolean;
  meta: boolean;
  idempotency: boolean;
  trail: boolean;
}

/**
 * State after a crash. `lost` has the names of acknowledged changes and records that are not in the store. `torn` has
 * the names of changes of which only some parts are in the store, and of rolled-back changes that are in the store.
 */
export interface Aftermath {
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly torn: readonly string[];
}

/** Compares the store with the changes and records that it acknowledged. `acknowledged` has their names. */
export async function aftermath(store: Store, acknowledged: readonly string[]): Promise<Aftermath> {
  const found = new Map<string, Found>();
  const mark = (part: keyof Found, names: readonly { readonly name: string }[]): void => {
    for (const { name } of names) {
      const one = found.get(name) ?? { identity: false, meta: false, idempotency: false, trail: false };
      one[part] = true;
      found.set(name, one);
    }
  };
  await store.transaction(async ({ sql }) => {
    mark('identity', await sql.rows('SELECT key AS name FROM identity_document'));
    mark('meta', await sql.rows('SELECT name FROM meta'));
    mark('idempotency', await sql.rows('SELECT token AS name FROM idempotency'));
    const packs = await sql.rows<PackContent>('SELECT heads, documents FROM trail_pack');
    mark(
      'trail',
      packs.flatMap(recordsOf).map(({ eventId }) => ({ name: eventId })),
    );
  });
  const whole = (name: string, one: Found): boolean =>
    name.startsWith('record')
      ? one.trail && !one.meta
      : name.startsWith('change') && one.identity && one.meta && one.idempotency && one.trail;
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((name) => !found.has(name)),
    torn: [...found].filter(([name, one]) => !whole(name, one)).map(([name]) => name),
  };
}

/** Asserts that no acknowledged change is lost, and that no change is torn (only partly present). */
export function assertUnharmed({ acknowledged, lost, torn }: Aftermath): void {
  assert.deepEqual({ lost, torn }, { lost: [], torn: [] }, `of ${acknowledged} acknowledged`);
}
