import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newFolder } from './folder.ts';
import { profileKeys } from './keys.ts';

/** A server that runs in its own process, as users run it. */
export interface ServerProcess {
  readonly endpoint: string;
  readonly httpsEndpoint: string;
  readonly dataFolder: string;
  readonly pid: number;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Returns everything that the process has written to stdout and stderr. */
  written(): string;
  /** Sends SIGTERM. Resolves to the exit status. */
  stop(): Promise<number | null>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'src', 'main.ts');

/** Outcome of a command. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `belfry …` as the operator does. The command gets no `BELFRY_…` variables except those in `environment`. */
export async function belfry(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const options = { env: { ...ownEnvironment(), ...environment }, cwd: ROOT };
  return await new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'bin', 'belfry.mjs'), ...args], options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Runs `belfry start` until it exits. Returns its output and exit status. */
export async function startThatEnds(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { child, written } = spawned(args, environment);
  const status = await new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { status, written: written() };
}

/**
 * Runs `belfry start` until the server listens, and then stops the server. Returns the output and the exit status.
 * `under` is a command that runs the server, such as `setpriv` with its options.
 */
export async function startAndStop(args: readonly string[], under: readonly string[] = []) {
  const { child, written } = spawned(args, {}, under);
  const stopOnce = () => {
    if (/listening on /.test(written())) child.kill('SIGTERM');
  };
  child.stdout.on('data', stopOnce);
  const status = await new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { status, written: written() };
}

/**
 * Starts a server process on free ports, and stops it after the tests of the file. By default, the data folder is new.
 * `under` is a command that runs the server.
 */
export async function startServerProcess(
  environment: Readonly<Record<string, string>> = {},
  dataFolder = newFolder('process'),
  under: readonly string[] = [],
): Promise<ServerProcess> {
  const { child, written } = spawned(['--data', dataFolder, '--http', '127.0.0.1:0', '--https', '127.0.0.1:0'], environment, under);
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  after(stop);
  const [endpoint, httpsEndpoint] = await new Promise<[string, string]>((resolve, reject) => {
    const readEndpoints = () => {
      const found = /listening on (\S+) and (\S+)/.exec(written());
      if (found) resolve([found[1] as string, found[2] as string]);
    };
    child.stdout.on('data', readEndpoints);
    child.once('exit', () => reject(new Error(`belfry start exited: ${written()}`)));
  });
  return {
    endpoint,
    httpsEndpoint,
    dataFolder,
    pid: child.pid as number,
    get credentials() {
      return profileKeys(dataFolder);
    },
    written,
    stop,
  };
}

/** Returns the environment of this process without `BELFRY_…` and `AWS_…` variables and `NODE_TEST_CONTEXT`. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:BELFRY|AWS)_|^NODE_TEST_CONTEXT$/.test(name)));
}

function spawned(args: readonly string[], environment: Readonly<Record<string, string>>, under: readonly string[] = []) {
  const [program, ...all] = [...under, process.execPath, MAIN, 'start', ...args] as [string, ...string[]];
  const child = spawn(program, all, {
    env: { ...ownEnvironment(), BELFRY_METRICS: 'off', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A test process that exits without its hooks leaves no server behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return { child, written: () => text };
}
