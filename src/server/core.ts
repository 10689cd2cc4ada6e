/** The core: the one thread that owns the store. Joins the parts a request meets and answers what the listeners bring. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { authenticating } from '#access/authenticate.ts';
import { authorizing } from '#access/authorize.ts';
import { federating } from '#access/federate.ts';
import { guardedFetch } from '#access/guarded-fetch.ts';
import { issuerKeys } from '#access/issuer-keys.ts';
import { newSessionTokens } from '#access/session-token.ts';
import { newSnapshot } from '#access/snapshot.ts';
import { newStacks } from '#access/stacks.ts';
import { isOwnDatabase, loadOrCreateOperatorKey, openVault, vaultFingerprint } from '#access/vault.ts';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { loadModel } from '#model/load.ts';
import { sweepEndedMeetings } from '#services/chime-sdk-meetings/sweep.ts';
import { signingKeyCache } from '#sigv4/signing-key.ts';
import { openStore } from '#store/open.ts';
import { lastUseNotes } from '#trail/last-use.ts';
import { trailRecorder } from '#trail/record.ts';
import { answering } from './answer.ts';
import { listenForControl } from './control.ts';
import { type CoreStart, type Endpoints, type FromCore, serveCore } from './core-link.ts';
import { firstStart, OPERATOR_ACCOUNT } from './first-start.ts';
import { allOperations } from './operations.ts';

const port = parentPort;
if (port === null) throw new Error('The core runs as a worker thread of belfry start.');

const { settings, recording } = workerData as CoreStart;
/** How often meetings that ended by themselves give their space back; reads never find them before either. */
const SWEEP_EVERY_MS = 60_000;
const now = () => instant(Date.now());

/** Nothing is answered after this: what was acknowledged is on disk, and the rest must be tried again by its clients. */
function fatal(error: unknown): void {
  port?.postMessage({ failed: String((error as Error)?.stack ?? error) } satisfies FromCore);
  setImmediate(() => process.exit(1));
}

mkdirSync(settings.dataFolder, { recursive: true, mode: 0o700 });
const operatorKeys = loadOrCreateOperatorKey(join(settings.dataFolder, 'operator.key'));
const vault = openVault(operatorKeys);
const store = await openStore(settings.database, { fatal });

const snapshot = newSnapshot();
async function refresh(): Promise<void> {
  const { version, changes } = await store.transaction((tx) => tx.identity.changesSince(snapshot.version()));
  if (version > snapshot.version()) snapshot.apply(version, changes);
}

// A database whose secrets were sealed by another operator key is not started on: every key in it would fail, one by one.
const fingerprint = await store.transaction(async (tx) => {
  await tx.meta.add('operator-key', vaultFingerprint(vault));
  return await tx.meta.get('operator-key');
});
if (fingerprint === undefined || !isOwnDatabase(vault, fingerprint)) {
  throw new Error(
    `the operator key in ${settings.dataFolder} is not the one this database was sealed with; put the right operator.key back`,
  );
}

const made = await firstStart(store, vault, settings, now());
await refresh();
const operatorAccount = ((await store.transaction((tx) => tx.meta.get(OPERATOR_ACCOUNT))) ?? '') as AccountId;

const sessions = newSessionTokens(operatorKeys);
const stacks = newStacks(snapshot);
let endpoints: Endpoints = {};
const answer = answering({
  store,
  snapshot,
  authenticate: authenticating({ snapshot, vault, sessions, keyCache: signingKeyCache(), region: settings.region }),
  federate: federating({ snapshot, keys: issuerKeys(guardedFetch({ allowedInternalHosts: settings.internalIssuers })) }),
  authorize: authorizing({ snapshot, stacks }),
  operations: allOperations({ settings, vault, sessions, operatorKeys, endpoints: () => endpoints }),
  record: trailRecorder(loadModel),
  noteUse: lastUseNotes(),
  now,
  guide2021: settings.guide2021,
  recording,
  region: settings.region,
  operatorAccount: () => operatorAccount,
  refresh,
  report: (requestId, error) => console.error(`belfry: request ${requestId} failed: ${(error as Error)?.stack ?? error}`),
});

const control = await listenForControl(settings.dataFolder, { store, vault, region: settings.region, now, refresh });
const sweep = setInterval(() => {
  void store
    .transaction((tx) => sweepEndedMeetings(tx, now()))
    .catch((error) => console.error(`belfry: ended meetings were not swept: ${(error as Error).message}`));
}, SWEEP_EVERY_MS);
serveCore(port, {
  answer: ({ received, refuse }) => answer(received, refuse),
  listening: (at) => {
    endpoints = at;
  },
  close: () => {
    clearInterval(sweep);
    control.close();
    return store.close();
  },
});
port.postMessage({
  ready: made === undefined ? {} : { firstStart: { accountId: made.accountId, userName: made.userName, accessKeyId: made.accessKeyId } },
} satisfies FromCore);
