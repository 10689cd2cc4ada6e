import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Received } from '#core/exchange.ts';
import { sourceOf } from '#core/source-address.ts';
import { type CoreReady, startCore, type Wanted } from './core/core-link.ts';
import { requireSoundDataFolder, startFailure } from './data-folder.ts';
import { openConnections } from './edge/connections.ts';
import { fairQueue } from './edge/fair-queue.ts';
import type { Counts } from './edge/holdings.ts';
import { CONNECTION_LIMITS, type ConnectionLimits, type Listener, listen } from './edge/listener.ts';
import { openSockets, type SocketLimits } from './edge/sockets.ts';
import { type TlsMaterial, tlsMaterial } from './edge/tls.ts';
import { trusting } from './edge/trusted-proxies.ts';
import { newHealth } from './health.ts';
import { readSettings, SETTINGS, SettingError, type Settings } from './settings.ts';
import { VERSION } from './version.ts';

/**
 * `belfry start`: reads settings, starts the core and the listeners, prints how to use them, serves until SIGINT or SIGTERM.
 * Exit status: 0 asked to stop · 1 the core died · 2 a setting or address cannot be.
 */
export async function start(args: readonly string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) {
    for (const row of SETTINGS)
      console.log(
        `${row.flag.padEnd(24)} ${row.variable.padEnd(28)} ${row.says}${row.fallback === '' ? '' : ` (default ${row.fallback})`}`,
      );
    return;
  }
  let settings: Settings;
  try {
    settings = readSettings(args, process.env);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    console.error(`belfry: ${error.message}`);
    process.exitCode = 2;
    return;
  }
  try {
    const { ready, stop } = await startServer(settings, (why) => {
      console.error(`belfry: stopped, because ${why}`);
      process.exit(1);
    });
    // Ctrl-C reaches the launcher too, which passes it on: asked twice is asked once.
    let stopping = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (!stopping) void stop().then(() => process.exit(0));
        stopping = true;
      });
    }
    printWelcome(settings, ready.listeners, ready.core);
  } catch (error) {
    console.error(`belfry: could not start: ${startFailure(error as Error, settings)}`);
    process.exit(2);
  }
}

/** A server that listens. */
export interface RunningServer {
  readonly ready: { readonly core: CoreReady; readonly listeners: readonly Listener[] };
  /** What clients hold now. */
  readonly counts: () => Counts & { readonly queued: number };
  readonly stop: () => Promise<void>;
}

/** Requests that the core works on at once. One source delays another by this many at most; more of them share a commit. */
const ASKED_AT_ONCE = 64;
const AGED_MS = 250;

/** A running server: the core and its listeners. `recording: false` is for the benchmark alone, the limits for tests of slow clients. */
export async function startServer(
  settings: Settings,
  onDeath: (why: string) => void,
  {
    recording = true,
    limits = {},
    socketLimits = {},
  }: { readonly recording?: boolean; readonly limits?: Partial<ConnectionLimits>; readonly socketLimits?: Partial<SocketLimits> } = {},
): Promise<RunningServer> {
  // All files that the server creates belong to its owner only.
  process.umask(0o077);
  await requireSoundDataFolder(settings);
  const { sourceSharePercent } = settings;
  let dead: string | undefined;
  let failStart: ((error: Error) => void) | undefined;
  const health = newHealth();
  const core = startCore(
    { settings, recording },
    {
      onOrders: (orders) => sockets.follow(orders),
      onReadyUntil: health.coreReadyUntil,
      onDeath(why) {
        dead = why;
        if (failStart) failStart(new Error(why));
        else onDeath(why);
      },
    },
  );
  let isStarted = false;
  const started = Promise.withResolvers<void>();
  const underWay = newCounter();
  // Before the core knows where it is found, meetings would send their clients nowhere.
  const queue = fairQueue({ runningMax: ASKED_AT_ONCE, agedMs: AGED_MS });
  const askInTurn = (wanted: Wanted) => queue.run(sourceOf(wanted.received.sourceIp), () => core.ask(wanted));
  const ask = (wanted: Wanted) => underWay.count(isStarted ? askInTurn(wanted) : started.promise.then(() => askInTurn(wanted)));
  const sockets = openSockets({
    ask: (received, socket) => ask({ received, socket }),
    tell: core.tell,
    limits: { sourceSharePercent, ...socketLimits },
  });
  const connectionLimits = {
    ...CONNECTION_LIMITS,
    connectionsMax: settings.connectionsMax,
    underWayMaxBytes: settings.underWayMaxBytes,
    requestsOfSourceMax: settings.requestsPerSource,
    sourceSharePercent,
    ...limits,
  };
  const connections = openConnections(connectionLimits);
  const parts = {
    bodyMaxBytes: settings.bodyMaxBytes,
    answer: (received: Received) => ask({ received }),
    refuse: (received: Received, refuse: 'RequestTooLarge') => ask({ received, refuse }),
    upgrade: sockets.upgrade,
    probe: health.answer,
    limits: connectionLimits,
    connections,
    isTrusted: trusting(settings.trustedProxies),
    proxyProtocol: settings.proxyProtocol,
  };
  const died = new Promise<never>((_, reject) => {
    failStart = reject;
    if (dead !== undefined) reject(new Error(dead));
  });
  // Listening comes before the core is ready, so that a first start whose address is taken makes no account. What comes in meanwhile waits for it.
  const { http: open, https: secure } = settings;
  const material = () => tlsMaterial(settings, Date.now(), (line) => console.error(`belfry: ${line}`));
  const opened = open === 'off' ? undefined : listen(open, undefined, parts);
  const secured = secure === 'off' ? undefined : material().then((tls) => listen(secure, tls, parts));
  const [ready, http, https] = await Promise.race([Promise.all([core.ready, opened, secured]), died]);
  const listeners = [http, https].filter((listener) => listener !== undefined);
  const found = settings.publicUrl ?? https?.endpoint;
  core.listening({ ...(http && { http: http.endpoint }), ...(found !== undefined && { https: found }) });
  failStart = undefined;
  died.catch(() => undefined);
  const renewal = setInterval(() => {
    if (https !== undefined) void renewTls(https, material);
  }, RENEW_TLS_EVERY_MS).unref();
  isStarted = true;
  health.started();
  started.resolve();
  return {
    ready: { core: ready, listeners },
    counts: () => ({ ...connections.counts(), queued: queue.waiting() }),
    async stop() {
      clearInterval(renewal);
      // Probes see it first. Load balancers then send no new requests here, and those that arrive are still answered.
      health.drain();
      await Promise.all([
        delay(settings.drainSeconds * 1000),
        Promise.race([underWay.none(), delay(UNDER_WAY_MAX_MS, undefined, { ref: false })]),
      ]);
      await sockets.close();
      await Promise.all(listeners.map((listener) => listener.close()));
      await core.close();
    },
  };
}

/** Interval at which the certificate is read again, and renewed if it is of the local CA and about to end. */
const RENEW_TLS_EVERY_MS = 12 * 3_600_000;

/** Serves new connections with the certificate of now. If it cannot be read, the server keeps the one before. */
async function renewTls(listener: Listener, material: () => Promise<TlsMaterial>): Promise<void> {
  try {
    listener.renewTls(await material());
  } catch (error) {
    console.error(`belfry: the certificate was not read again: ${(error as Error).message}`);
  }
}

/** Longest wait for requests under way before the listeners stop accepting. They are still answered afterwards. */
const UNDER_WAY_MAX_MS = 5_000;

/** Counts promises that are not settled. */
function newCounter() {
  let pending = 0;
  let waiting: (() => void)[] = [];
  return {
    count<T>(promise: Promise<T>): Promise<T> {
      pending++;
      return promise.finally(() => {
        if (--pending > 0) return;
        for (const resolve of waiting) resolve();
        waiting = [];
      });
    },
    /** Resolves once no promise is pending. */
    none: () => (pending === 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve))),
  };
}

function printWelcome(settings: Settings, listeners: readonly Listener[], core: CoreReady): void {
  const endpoint = listeners[0]?.endpoint as string;
  const credentials = join(settings.dataFolder, 'aws', 'credentials');
  console.log(`Belfry ${VERSION} is listening on ${listeners.map((listener) => listener.endpoint).join(' and ')}`);
  if (core.firstStart) {
    const { accountId, userName, accessKeyId } = core.firstStart;
    console.log(
      `Created account ${accountId} with the administrator '${userName}' (access key ${accessKeyId}). The secret access key is in ${credentials}.`,
    );
  }
  if (!existsSync(credentials)) {
    console.log(`
This data folder has no AWS profile. Existing access keys work. To create an administrator with a new key and a profile:

  export BELFRY_DATA=${inShell(settings.dataFolder)}
  npx belfry account list
  npx belfry account restore-administrator --account-id ACCOUNT_ID --profile belfry
`);
    return;
  }
  console.log(`
Use it with any AWS client:

  export AWS_CONFIG_FILE=${inShell(join(settings.dataFolder, 'aws', 'config'))}
  export AWS_SHARED_CREDENTIALS_FILE=${inShell(credentials)}
  export AWS_PROFILE=belfry
  aws --endpoint-url ${endpoint} sts get-caller-identity
`);
}

/** A path as a shell reads it back whole. */
function inShell(path: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
