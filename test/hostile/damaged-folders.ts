import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';
import type { Figure, Workload } from './workload.ts';

/** A way to damage or expose a data folder, and the message with which the server then refuses to start. */
export interface Damage {
  readonly title: string;
  readonly apply: (folder: string) => void;
  readonly message: RegExp;
}

const PRIVATE = ['operator.key', 'belfry.db', 'aws/credentials', 'tls/ca.key', 'tls/server.key'];
const FOLDERS = ['.', 'aws', 'control', 'tls'];
/**
 * Folder outside of the data folder. Some damages move a file into this folder, and leave a symbolic link in its place.
 */
const ELSEWHERE = 'elsewhere';

const withoutDatabase = (folder: string): void => {
  for (const name of readdirSync(folder)) if (name.startsWith('belfry.db')) rmSync(join(folder, name));
};
const inDatabase = (text: string) => (folder: string) => {
  const db = new DatabaseSync(join(folder, 'belfry.db'));
  db.exec(text);
  db.close();
};

/** All damages. The server refuses to start with each of them, and with any combination. */
export const DAMAGES: readonly Damage[] = [
  ...PRIVATE.flatMap((name) =>
    [0o644, 0o640, 0o604, 0o666, 0o620].map((mode) => ({
      title: `${name} with mode ${mode.toString(8)}`,
      apply: (folder: string) => chmodIfThere(join(folder, name), mode),
      message: /is accessible by other users; run chmod 600/,
    })),
  ),
  ...FOLDERS.flatMap((name) =>
    [0o777, 0o775, 0o757, 0o1777].map((mode) => ({
      title: `the folder ${name} with mode ${mode.toString(8)}`,
      apply: (folder: string) => chmodIfThere(join(folder, name), mode),
      message: /is writable by other users; run chmod 700/,
    })),
  ),
  ...FOLDERS.slice(1).flatMap((name) => [
    {
      title: `a link in place of ${name}`,
      apply: (folder: string) => replaceByLink(folder, name),
      message: /is a symbolic link; replace it/,
    },
    {
      title: `a dangling link in place of ${name}`,
      apply: (folder: string) => {
        rmSync(join(folder, name), { recursive: true, force: true });
        symlinkSync(join(folder, '..', 'nowhere'), join(folder, name));
      },
      message: /is a symbolic link; replace it/,
    },
  ]),
  { title: 'no database', apply: withoutDatabase, message: /the database is missing or empty.*restore the database/ },
  {
    title: 'no database and no operator key',
    apply: (folder) => {
      withoutDatabase(folder);
      rmSync(join(folder, 'operator.key'), { force: true });
    },
    message: /the database is missing or empty.*aws\/credentials/,
  },
  {
    title: 'a database of no bytes',
    apply: (folder) => {
      withoutDatabase(folder);
      writeFileSync(join(folder, 'belfry.db'), '', { mode: 0o600 });
    },
    message: /the database is missing or empty/,
  },
  {
    title: 'a database without tables',
    apply: (folder) => {
      withoutDatabase(folder);
      new DatabaseSync(join(folder, 'belfry.db')).exec('CREATE TABLE t (x); DROP TABLE t');
      chmodSync(join(folder, 'belfry.db'), 0o600);
    },
    message: /the database is missing or empty/,
  },
  {
    title: 'a database without its account',
    apply: inDatabase("DELETE FROM meta WHERE name = 'operator-account'"),
    message: /the database is missing or empty/,
  },
  {
    title: 'a file that is not a database',
    apply: (folder) => {
      withoutDatabase(folder);
      writeFileSync(join(folder, 'belfry.db'), 'x'.repeat(8192), { mode: 0o600 });
    },
    message: /is damaged \(it is not an SQLite database\); restore it from a backup/,
  },
  {
    title: 'a database without its end',
    apply: (folder) => {
      if (existsSync(join(folder, 'belfry.db'))) truncateSync(join(folder, 'belfry.db'), 16_384);
    },
    message: /is damaged \(its end is missing\); restore it from a backup/,
  },
  {
    title: 'a log without its database',
    apply: (folder) => {
      withoutDatabase(folder);
      writeFileSync(join(folder, 'belfry.db-wal'), 'x'.repeat(4096), { mode: 0o600 });
    },
    message: /is damaged .*belfry\.db-wal is not/,
  },
  ...['server.pem', 'server.key'].map((name) => ({
    title: `a damaged ${name}`,
    apply: (folder: string) => {
      if (existsSync(join(folder, 'tls'))) writeFileSync(join(folder, 'tls', name), 'x', { mode: 0o600 });
    },
    message: /are not a certificate and its private key .*delete '.*server\.json' and start the server again/,
  })),
  {
    title: 'an empty operator key',
    apply: (folder) => writeFileSync(join(folder, 'operator.key'), '', { mode: 0o600 }),
    message: /has no operator key; copy operator\.key back/,
  },
  {
    title: 'a damaged operator key',
    apply: (folder) => writeFileSync(join(folder, 'operator.key'), `${'0'.repeat(63)}\n`, { mode: 0o600 }),
    message: /has a line that is not a key .*copy operator\.key back/,
  },
  {
    title: 'another operator key',
    apply: (folder) => writeFileSync(join(folder, 'operator.key'), `${'0'.repeat(64)}\n`, { mode: 0o600 }),
    message: /does not belong to this database; restore the operator\.key of this database/,
  },
  {
    title: 'no operator key',
    apply: (folder) => rmSync(join(folder, 'operator.key'), { force: true }),
    message: /has no operator\.key.*copy operator\.key back/,
  },
];

function chmodIfThere(path: string, mode: number): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === false) chmodSync(path, mode);
}

function replaceByLink(folder: string, name: string): void {
  const target = join(folder, '..', ELSEWHERE, name);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(folder, '..', ELSEWHERE), { recursive: true, mode: 0o700 });
  if (lstatSync(join(folder, name)).isSymbolicLink()) return;
  renameSync(join(folder, name), target);
  symlinkSync(target, join(folder, name));
}

/** Returns every entry below a folder with its mode, modification time, and contents or link target. */
function stateOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const path = join(folder, name);
      const { mode, mtimeMs } = lstatSync(path);
      const found = lstatSync(path);
      const contents = found.isSymbolicLink() ? readlinkSync(path) : found.isFile() ? readFileSync(path).toString('base64') : '';
      return `${name} ${mode.toString(8)} ${mtimeMs} ${contents}`;
    });
}

function settingsOf(dataFolder: string) {
  return readSettings([], { BELFRY_DATA: dataFolder, BELFRY_HTTP: '127.0.0.1:0', BELFRY_HTTPS: '127.0.0.1:0' });
}

const dies = (why: string): void => {
  throw new Error(`the server died: ${why}`);
};

/** Creates a complete data folder, as a stopped server leaves it. */
export async function completeFolder(folder: string): Promise<void> {
  const { stop } = await startServer(settingsOf(folder), dies);
  await stop();
}

/** Damages a copy of a folder and starts a server on it. Checks that the server prints one line, exits and changes no file. */
export async function refuseDamaged(complete: string, damages: readonly Damage[]): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), 'belfry-damaged-'));
  const folder = join(parent, 'data');
  try {
    cpSync(complete, folder, { recursive: true, preserveTimestamps: true });
    for (const { apply } of damages) apply(folder);
    const title = damages.map((damage) => damage.title).join(', ');
    const before = stateOf(parent);
    const started = await startServer(settingsOf(folder), dies).then(
      async ({ stop }) => {
        await stop();
        return undefined;
      },
      (error: Error) => error.message,
    );
    assert.ok(started !== undefined, `a server started on a folder with ${title}`);
    assert.ok(!started.includes('\n') && damages.some(({ message }) => message.test(started)), `${title}: ${started}`);
    assert.deepEqual(stateOf(parent), before, `a refused start changed a folder with ${title}`);
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

/** Damages data folders at random, with one to three damages each. The first round applies each damage alone. */
export const damagedFolders: Workload = {
  name: 'damaged folders',
  async run({ seconds, seed }): Promise<readonly Figure[]> {
    const end = performance.now() + seconds * 1000;
    const parent = mkdtempSync(join(tmpdir(), 'belfry-complete-'));
    const complete = join(parent, 'data');
    let refused = 0;
    try {
      await completeFolder(complete);
      const random = generator(seed);
      const combined = DAMAGES.filter(({ title }) => !title.startsWith('a database without'));
      for (const damage of DAMAGES) {
        await refuseDamaged(complete, [damage]);
        refused += 1;
      }
      while (performance.now() < end) {
        const count = 1 + Math.floor(random() * 3);
        await refuseDamaged(
          complete,
          Array.from({ length: count }, () => combined[Math.floor(random() * combined.length)] as Damage),
        );
        refused += 1;
      }
    } finally {
      rmSync(parent, { recursive: true, force: true });
    }
    return [
      { what: 'damaged or exposed data folders that a start refused', value: refused, unit: 'count' },
      { what: 'refused starts that changed a byte', value: 0, unit: 'count', most: 0 },
    ];
  },
};

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
