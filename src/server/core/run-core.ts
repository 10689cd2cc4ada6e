/** The core of a real server: opens the store, the bus, the keys and the threads, and serves the main thread. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { guardedFetch } from '#access/guarded-fetch.ts';
import { operatorKeyRing } from '#access/operator-keys.ts';
import { openVault } from '#access/vault.ts';
import { openTarget } from '#delivery/targets/bound-targets.ts';
import { databaseFile } from '#store/engine/database-folder.ts';
import { openStore } from '#store/engine/open.ts';
import { openServers } from '#store/engine/open-servers.ts';
import type { Store } from '#store/store.ts';
import { filesOfFirstStart } from '../first-start-files.ts';
import { openGapNote } from '../gap-note.ts';
import { machineClock } from '../health.ts';
import { openLog } from '../log.ts';
import { openContents } from '../object-contents.ts';
import { deleteUnfinished } from '../object-files.ts';
import { readObjectKey } from '../object-key.ts';
import { listenForControl } from '../operator/control.ts';
import { isPostgres } from '../setting-types.ts';
import type { Settings } from '../settings.ts';
import { readSmtpFile } from '../smtp-file.ts';
import { openTrailHeadNote } from '../trail-head-file.ts';
import { txtLookup } from '../txt-lookup.ts';
import { ANALYSIS_LIMITS, newAnalysisThreads } from './analysis-threads.ts';
import { inProcessBus, postgresBus } from './bus.ts';
import { systemClock } from './clock.ts';
import { composeCore } from './core.ts';
import { type CoreStart, type FromCore, serveCore } from './core-link.ts';
import { newDurations, SYNC_BOUNDS_MS } from './durations.ts';
import { newSamlThreads, SAML_LIMITS } from './saml-threads.ts';
import { newTrailLogThread } from './trail-log.ts';
import { GENERATION_LIMITS, newWorkThreads } from './work-threads.ts';

/**
 * Runs the core in this thread until the main thread sends `close`.
 *
 * @throws Error  the core cannot start
 */
export async function runCore(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("This program must run in a worker thread of 'belfry start'.");
  const post = (message: FromCore): void => port.postMessage(message);
  const { settings, recording } = workerData as CoreStart;
  // The first message of the main thread is 'opened'. The main thread sends no other message until the core is ready.
  const opened = new Promise<void>((resolve) => port.once('message', () => resolve()));

  mkdirSync(settings.dataFolder, { recursive: true, mode: 0o700 });
  if (settings.smtpFile !== undefined) readSmtpFile(settings.smtpFile);
  const ring = operatorKeyRing(join(settings.dataFolder, 'operator.key'));
  const serverName = `${hostname()} ${process.pid}`;
  const log = await openLog(settings.log);
  const syncs = isPostgres(settings.database) ? undefined : newDurations(SYNC_BOUNDS_MS);
  const store = await openStore(settings.database, {
    server: serverName,
    ...(syncs !== undefined && { onSync: syncs.add }),
    // After a fatal error the core sends no more responses. Acknowledged changes are on disk, and clients retry
    // requests that got no response.
    fatal(error) {
      post({ failed: String((error as Error)?.stack ?? error) });
      setImmediate(() => process.exit(1));
    },
  });
  const registry = await openServers(settings.database, store);
  const objectFolder = await prepareObjects(settings, store);
  const contents = openContents(settings, async () => objectFolder);
  const sip = settings.sipDecisions === 'off' ? undefined : (await import('../sip/open-sip.ts')).sipOutside(settings, log);
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
    serverName,
    fetchJson: guardedFetch({ allowedInternalHosts: settings.internalIssuers }),
    lookUpTxt: txtLookup(settings.dnsServer),
    openTarget,
    analysisThreads: newAnalysisThreads(ANALYSIS_LIMITS, log),
    samlThreads: newSamlThreads(SAML_LIMITS, log),
    generationThreads: newWorkThreads('policy generations', GENERATION_LIMITS, log),
    trailLogThread: newTrailLogThread(log, databaseFile(settings.database)),
    firstStartFiles: filesOfFirstStart(settings, opened),
    ...(contents !== undefined && { contents }),
    ...(syncs !== undefined && { syncs }),
    gapNote: openGapNote(settings.dataFolder),
    ...(settings.database !== 'file::memory:' && { trailHeadNote: openTrailHeadNote(settings.dataFolder) }),
    ...(sip !== undefined && { sip }),
    listenForControl: (commands) => listenForControl(settings.dataFolder, commands),
    follow: (orders) => post({ orders }),
    readyForMs: (milliseconds) => post({ readyUntil: machineClock() + milliseconds }),
    report: log,
  });
  const ready = { ...(await core.start()), objectFolder };
  serveCore(port, {
    answer: core.answer,
    receiveNews: core.receiveNews,
    listening: core.listening,
    figures: core.figures,
    report: log,
    close: core.stop,
  });
  post({ ready });
}

/** Name in the table `meta` of the folder of this database in the object service. */
const OBJECT_FOLDER = 'object-folder';

/**
 * Prepares the place of the contents of objects. Returns the folder of this database in the object service, or an
 * empty string if there is no service. It is random, so two databases
 * that share a bucket by mistake do not delete each other's objects.
 *
 * @throws Error  the access key of the service cannot be read
 */
async function prepareObjects({ database, dataFolder, objectsKeyFile }: Settings, store: Store): Promise<string> {
  if (!isPostgres(database)) deleteUnfinished(dataFolder);
  if (objectsKeyFile === undefined) return '';
  readObjectKey(objectsKeyFile);
  return await store.transaction(async (tx) => {
    await tx.meta.add(OBJECT_FOLDER, randomBytes(16).toString('hex'));
    return (await tx.meta.get(OBJECT_FOLDER)) as string;
  });
}
