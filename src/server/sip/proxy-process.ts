/** The SIP proxy as a child process of the server (`BELFRY_SIP=child`): starts Kamailio, restarts it after a failure, and ends it on stop. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Part } from '#core/part.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import { kamailioArguments, SIP_FILES } from './kamailio-config.ts';
import { KAMAILIO_PACKAGES, writeProxyFolder } from './proxy-folder.ts';

/** Longest time until the proxy is ready. */
const READY_MAX_MS = 60_000;
/** Longest time that the proxy may take to end after SIGTERM, as in `ops/belfry-sip.service`. On a busy machine, a start alone takes some seconds. */
const STOP_MAX_MS = 15_000;
/** Time between two SIGTERM. */
const STOP_AGAIN_MS = 500;
const RESTART_MIN_MS = 500;
const RESTART_MAX_MS = 30_000;
/** Time after which a running proxy counts as healthy, so that the next restart is quick again. */
const HEALTHY_MS = 60_000;
/** Longest line of the proxy in the server's log. */
const LINE_MAX = 500;
/** Lines that the log takes in a second. A client can cause an error with each message. */
const LINES_PER_SECOND = 10;

/**
 * Creates the part that runs the SIP proxy. `start` resolves when the proxy listens.
 *
 * A child has the server's user and could read its data, so a production server uses `BELFRY_SIP=unit`.
 */
export function sipProxyPart(settings: Settings, log: Log): Part {
  const folder = join(settings.dataFolder, 'sip', 'proxy');
  const pidFile = join(folder, SIP_FILES.run, 'proxy.pid');
  const controlSocket = join(folder, SIP_FILES.run, 'ctl');
  const stopping = new AbortController();
  let running: Running | undefined;
  let restartMs = RESTART_MIN_MS;

  /** Starts the process and resolves when it listens. If it ends later, starts it again. */
  async function run(): Promise<void> {
    await endEarlier(pidFile, folder);
    await requireUsable(settings);
    if (stopping.signal.aborted) return;
    rmSync(controlSocket, { force: true });
    const started = startKamailio(folder, pidFile, log);
    running = started;
    await untilReady(started, controlSocket);
    const since = performance.now();
    void started.ended.then(async (reason) => {
      if (stopping.signal.aborted) return;
      if (performance.now() - since > HEALTHY_MS) restartMs = RESTART_MIN_MS;
      log(`the SIP proxy ${reason}; starting it again`, 'error');
      await restart();
    });
  }

  async function restart(): Promise<void> {
    while (!stopping.signal.aborted) {
      await delay(restartMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      restartMs = Math.min(restartMs * 2, RESTART_MAX_MS);
      try {
        await run();
        return;
      } catch (error) {
        log(`could not start the SIP proxy again: ${(error as Error).message}`, 'error');
      }
    }
  }

  return {
    name: 'SIP proxy',
    async start() {
      await writeProxyFolder(settings, folder);
      await run();
    },
    async stop() {
      stopping.abort();
      if (running !== undefined) await stopKamailio(running, log);
    },
  };
}

interface Running {
  readonly child: ChildProcess;
  /** Resolves to the reason when the process has ended. */
  readonly ended: Promise<string>;
  readonly hasEnded: () => boolean;
}

function startKamailio(folder: string, pidFile: string, log: Log): Running {
  const child = spawn('kamailio', [...kamailioArguments(folder), '-P', pidFile], {
    // The processes of Kamailio form a group, so that all end together.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], LANG: 'C' },
  });
  const killWithServer = () => killGroup(child);
  process.once('exit', killWithServer);
  let lastError = '';
  let second = 0;
  let lines = 0;
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (!/ERROR|CRITICAL|WARNING|ALERT|BUG/.test(line)) return;
    const text = line.slice(0, LINE_MAX);
    lastError = `: ${text}`;
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) [second, lines] = [now, 0];
    lines += 1;
    if (lines <= LINES_PER_SECOND) log(`SIP proxy: ${text}`);
  });
  let hasEnded = false;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      resolve(isMissing ? `is not installed; run: apt-get install ${KAMAILIO_PACKAGES}` : `could not start (${error.message})`);
    });
    child.once('exit', (code, signal) =>
      resolve(`ended with ${signal ?? `status ${code}`}${lastError || "; 'kamailio -ddd' with its configuration shows why"}`),
    );
  }).then((reason) => {
    hasEnded = true;
    process.off('exit', killWithServer);
    // Processes that are left have the addresses.
    killGroup(child);
    return reason;
  });
  return { child, ended, hasEnded: () => hasEnded };
}

/** Waits until the proxy has its control socket, which it opens after its addresses. @throws Error  the process ended, or is not ready in time */
async function untilReady({ child, ended, hasEnded }: Running, controlSocket: string): Promise<void> {
  const latest = performance.now() + READY_MAX_MS;
  while (!existsSync(controlSocket)) {
    if (hasEnded()) throw new Error(`the SIP proxy ${await ended}`);
    if (performance.now() > latest) {
      killGroup(child);
      throw new Error(`the SIP proxy was not ready after ${READY_MAX_MS / 1000} seconds`);
    }
    await delay(20);
  }
}

/**
 * Ends the proxy and waits until its processes have ended, so that its addresses are free.
 *
 * SIGTERM is repeated: a process of Kamailio that was created just before the signal ignores it, and the main process waits a minute for it.
 */
async function stopKamailio({ child, ended, hasEnded }: Running, log: Log): Promise<void> {
  const latest = performance.now() + STOP_MAX_MS;
  if (!hasEnded()) child.kill('SIGTERM');
  while (!hasEnded()) {
    await Promise.race([ended, delay(STOP_AGAIN_MS)]);
    if (hasEnded()) return;
    const isLate = performance.now() > latest;
    if (isLate) log('the SIP proxy does not end; killing it', 'error');
    signalGroup(child, isLate ? 'SIGKILL' : 'SIGTERM');
  }
}

function killGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGKILL');
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}

/** Binds each address of the proxy for a moment, because Kamailio at its log level does not name an address that it cannot use. @throws Error */
async function requireUsable({ sipUdp, sipTcp, sipTls }: Settings): Promise<void> {
  for (const [variable, address] of Object.entries({ BELFRY_SIP_UDP: sipUdp, BELFRY_SIP_TCP: sipTcp, BELFRY_SIP_TLS: sipTls })) {
    if (address === 'off') continue;
    const { host, port } = address;
    const code = await (variable === 'BELFRY_SIP_UDP' ? bindUdp(host, port) : bindTcp(host, port));
    if (code !== undefined) throw new Error(`the SIP proxy cannot use ${variable}=${host}:${port}: ${BIND_ERRORS[code] ?? code}`);
  }
}

const BIND_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process uses it, such as Debian's kamailio.service",
  EADDRNOTAVAIL: 'this machine does not have the address',
  EACCES: 'the user of the server may not use the port',
};

/** Resolves to the code of the error, or to undefined if the address can be used. */
function bindUdp(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', ({ code }: NodeJS.ErrnoException) => socket.close(() => resolve(code)));
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}

function bindTcp(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const listener = createServer();
    listener.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
    listener.listen({ host, port, exclusive: true }, () => listener.close(() => resolve(undefined)));
  });
}

/** Ends the proxy that a killed server left behind, because it has the addresses. */
async function endEarlier(pidFile: string, folder: string): Promise<void> {
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0;
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isProxyOf(pid, folder)) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    return;
  }
  const latest = performance.now() + STOP_MAX_MS;
  while (isProxyOf(pid, folder) && performance.now() < latest) await delay(20);
}

/** Reports whether a process is the proxy with this folder. */
function isProxyOf(pid: number, folder: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(`${folder}/${SIP_FILES.config}`);
  } catch {
    return false;
  }
}
