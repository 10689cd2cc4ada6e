import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Store } from '#store/store.ts';
import { CHECKED } from './checked-pool.ts';

const LOAD = join(import.meta.dirname, 'crash-load.ts');

export interface Load {
  readonly process: ChildProcess;
  /** What the process was told is durable, so far. */
  readonly acknowledged: readonly string[];
  /** Resolves when so many things were acknowledged; rejects where the process ends before. */
  atLeast(count: number): Promise<void>;
  /** Kills it without a warning; resolves when it is gone and all it said was read. */
  kill(): Promise<void>;
}

/** Starts a process that changes and records as fast as it can. */
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
        ended.then(() => reject(new Error(`The process ended after ${acknowledged.length} of ${count}.`)), reject);
        if (acknowledged.length >= count) resolve();
      });
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** What of one thing was found; a change is four writes, a record is one. */
interface Found {
  identity: boolean;
  meta: boolean;
  idempotency: boolean;
  trail: boolean;
}

/** What a crash left: how much of what was acknowledged is gone, and what is there in part or should not be. */
export interface Aftermath {
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly torn: readonly string[];
}

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
    mark('trail', await sql.rows('SELECT event_id AS name FROM trail_event'));
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

/** Nothing that was acknowledged is gone, and nothing is there by halves. */
export function assertUnharmed({ acknowledged, lost, torn }: Aftermath): void {
  assert.deepEqual({ lost, torn }, { lost: [], torn: [] }, `of ${acknowledged} acknowledged`);
}
