/** Starts server processes, signs requests and runs the load generator `wrk`, for the benchmarks of a whole server. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { instant } from '#core/instant.ts';
import { sign } from '#sigv4/sign.ts';
import { type Keys, profileKeys, UNKNOWN_KEYS } from '../test/kit/keys.ts';

/** A server in a separate process. */
export interface Process {
  readonly endpoint: string;
  /** Endpoint of the last listener. It is the HTTPS listener if the server has one. */
  readonly socketEndpoint: string;
  readonly pid: number;
  readonly dataFolder: string;
  readonly credentials: Keys;
  stop(): Promise<void>;
}

/** Options of a server process. */
interface ProcessOptions {
  /** Command under which the server runs, such as strace. It must not change the server's process ID. */
  readonly under?: readonly string[];
  /** Existing data folder. Default: a new one. */
  readonly dataFolder?: string;
  /** Additional settings, as environment variables `BELFRY_…`. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts `server-process.ts` and waits for its endpoint. */
export async function startProcess(
  what: 'belfry' | 'without-recording' | 'bare' | 'plain-ws',
  options: ProcessOptions = {},
): Promise<Process> {
  const { under = [], dataFolder = mkdtempSync(join(tmpdir(), 'belfry-bench-')), environment = {} } = options;
  // The option `--max-semi-space-size` has the same value as in `bin/belfry.mjs`.
  const run = [
    ...under,
    process.execPath,
    '--max-semi-space-size=4',
    'bench/server-process.ts',
    dataFolder,
    what,
    JSON.stringify(environment),
  ];
  const child: ChildProcess = spawn(run[0] as string, run.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const endpoints = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (text: Buffer) => resolve(text.toString().trim()));
    child.once('exit', (code) => reject(new Error(`the server process '${what}' exited with ${code}`)));
  });
  return {
    endpoint: endpoints.split(' ')[0] as string,
    socketEndpoint: endpoints.split(' ').at(-1) as string,
    pid: child.pid as number,
    dataFolder,
    credentials: what === 'bare' || what === 'plain-ws' ? UNKNOWN_KEYS : profileKeys(dataFolder),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

/** Signed request, for example for `wrk`. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Signs a request with the signing name `chime`, as SDK clients do. */
export function signed(
  server: Process,
  method: string,
  path: string,
  body = '',
  more: Readonly<Record<string, string>> = {},
): SignedRequest {
  const headers = sign(
    {
      method,
      target: path,
      headers: { host: new URL(server.endpoint).host, ...(body === '' ? {} : { 'content-type': 'application/json' }), ...more },
      body,
    },
    { credentials: server.credentials, region: 'us-east-1', signingName: 'chime', now: instant(Date.now()) },
  );
  return { method, path, headers, body };
}

/** Result of one run of `wrk`. */
export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
  readonly not2xx: number;
  /** Value of `Date.now()` before the run. `endedMs` is the value after the run. */
  readonly beganMs: number;
  readonly endedMs: number;
}

/** Sends the requests in order, repeatedly, over `connections` kept-alive connections. Uses one thread of `wrk`. */
export function load(endpoint: string, requests: readonly SignedRequest[], connections: number, seconds: number): Load {
  if (!existsSync('/usr/bin/wrk')) throw new Error('The server benchmarks need wrk (Debian: apt-get install wrk).');
  const folder = mkdtempSync(join(tmpdir(), 'belfry-wrk-'));
  const script = join(folder, 'load.lua');
  const lua = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const { host } = new URL(endpoint);
  const lines = requests.map(({ method, path, headers, body }) => {
    const head = Object.entries({ ...headers, host }).map(([name, value]) => `${name}: ${value}`);
    if (body !== '') head.push(`content-length: ${Buffer.byteLength(body)}`);
    return lua(`${method} ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n${body}`).replaceAll('\r\n', '\\r\\n');
  });
  writeFileSync(join(folder, 'requests.txt'), lines.map((line) => line.slice(1, -1)).join('\n'));
  writeFileSync(
    script,
    `local requests = {}
for line in io.lines("${join(folder, 'requests.txt')}") do
  local text = line:gsub("\\\\r\\\\n", "\\r\\n"):gsub('\\\\"', '"'):gsub("\\\\\\\\", "\\\\")
  requests[#requests + 1] = text
end
local i = 0
request = function() i = i + 1 if i > #requests then i = 1 end return requests[i] end
done = function(summary, latency)
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status))
end
`,
  );
  const beganMs = Date.now();
  const done = spawnSync('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, endpoint], {
    encoding: 'utf8',
  });
  const endedMs = Date.now();
  const found = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(done.stdout);
  if (found === null) throw new Error(`unexpected output of wrk: ${done.stdout}${done.stderr}`);
  const [count, microseconds, p50, p99, not2xx] = found.slice(1).map(Number) as [number, number, number, number, number];
  return { perSecond: count / (microseconds / 1e6), p50Ms: p50 / 1000, p99Ms: p99 / 1000, requests: count, not2xx, beganMs, endedMs };
}

/** Returns the median of the values. For an even number of values, returns the upper of the two middle values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
