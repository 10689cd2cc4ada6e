/** The core of a real server: opens the store, the bus, the keys and the threads, and serves the main thread. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { guardedFetch } from '#access/guarded-fetch.ts';
import { operatorKeyRing } from '#access/operator-keys.ts';
import { openVault } from '#access/vault.ts';
import { openStore } from '#store/engine/open.ts';
import { openServers } from '#store/engine/open-servers.ts';
import { filesOfFirstStart } from '../first-start-files.ts';
import { machineClock } from '../health.ts';
import { log } from '../log.ts';
import { listenForControl } from '../operator/control.ts';
import { ANALYSIS_LIMITS, newAnalysisThreads } from './analysis-threads.ts';
import { inProcessBus, postgresBus } from './bus.ts';
import { systemClock } from './clock.ts';
import { composeCore } from './core.ts';
import { type CoreStart, type FromCore, serveCore } from './core-link.ts';
import { newSamlThreads, SAML_LIMITS } from './saml-threads.ts';

/**
 * Runs the core in this thread until the main thread sends `close`.
 *
 * @throws Error  the core cannot start
 */
export async function runCore(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('The core runs as a worker thread of belfry start.');
  const post = (message: FromCore): void => port.postMessage(message);
  const { settings, recording } = workerData as CoreStart;
  // The first message of the main thread is 'opened'. Until the core is ready it sends no other.
  const opened = new Promise<void>((resolve) => port.once('message', () => resolve()));

  mkdirSync(settings.dataFolder, { recursive: true, mode: 0o700 });
  const ring = operatorKeyRing(join(settings.dataFolder, 'operator.key'));
  const store = await openStore(settings.database, {
    // After a fatal error the core sends no more responses. Acknowledged changes are on disk, and clients retry all others.
    fatal(error) {
      post({ failed: String((error as Error)?.stack ?? error) });
      setImmediate(() => process.exit(1));
    },
  });
  const registry = await openServers(settings.database, store);
  const core = composeCore({
    settings,
    recording,
    store,
    registry,
    leaseMilliseconds: await registry.servers.leaseMilliseconds(),
    bus: registry.shared ? postgresBus(settings.database) : inProcessBus(),
    ring,
    vault: openVault(ring.keys),
    clock: systemClock,
    newId: randomUUID,
    random: randomBytes,
    serverName: `${hostname()} ${process.pid}`,
    fetchJson: guardedFetch({ allowedInternalHosts: settings.internalIssuers }),
    analysisThreads: newAnalysisThreads(ANALYSIS_LIMITS, log),
    samlThreads: newSamlThreads(SAML_LIMITS, log),
    firstStartFiles: filesOfFirstStart(settings, opened),
    listenForControl: (commands) => listenForControl(settings.dataFolder, commands),
    follow: (orders) => post({ orders }),
    readyForMs: (milliseconds) => post({ readyUntil: machineClock() + milliseconds }),
    report: log,
  });
  const ready = await core.start();
  serveCore(port, { answer: core.answer, receiveNews: core.receiveNews, listening: core.listening, close: core.stop });
  post({ ready });
}
