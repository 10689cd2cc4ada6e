import type { FetchJson } from '#access/guarded-fetch.ts';
import type { LeaseClock } from '#access/lease-parts.ts';
import type { OperatorKeyRing } from '#access/operator-keys.ts';
import type { OperatorVault } from '#access/vault.ts';
import type { OpenTarget } from '#delivery/targets/bound-targets.ts';
import type { SocketOrder } from '#realtime/protocol.ts';
import type { LookUpTxt } from '#services/kit/dns.ts';
import type { OpenServers } from '#store/engine/open-servers.ts';
import type { Store } from '#store/store.ts';
import type { Log } from '../log.ts';
import type { ControlParts } from '../operator/control.ts';
import type { Settings } from '../settings.ts';
import type { SipOutside } from '../sip/open-sip.ts';
import type { AnalysisThreads } from './analysis-threads.ts';
import type { Bus } from './bus.ts';
import type { Contents } from './contents.ts';
import type { Durations } from './durations.ts';
import type { FirstStartFiles } from './first-start.ts';
import type { SamlThreads } from './saml-threads.ts';
import type { GapNote } from './trail-gap.ts';
import type { TrailLogThread } from './trail-log.ts';
import type { TrailHeadNote } from './trail-log-head.ts';
import type { WorkThreads } from './work-threads.ts';

/**
 * Everything outside the core. The core reads no clock, creates no randomness, and opens no file, socket or thread itself, so a
 * simulation can replace all of these.
 */
export interface CoreParts {
  readonly settings: Settings;
  /** False only in the benchmark that measures the cost of recording. */
  readonly recording: boolean;
  /** Open and migrated store. The core closes it. */
  readonly store: Store;
  /** Registry of servers on the same database. The core closes it. */
  readonly registry: OpenServers;
  readonly leaseMilliseconds: number;
  /** Bus for hints between servers. A hint is a notification that data has changed. The core closes the bus. */
  readonly bus: Bus;
  readonly ring: OperatorKeyRing;
  readonly vault: OperatorVault;
  readonly clock: LeaseClock;
  /** Returns a UUID in lower case. */
  readonly newId: () => string;
  /** Returns unpredictable bytes. */
  readonly random: (bytes: number) => Uint8Array;
  /** Name of this server in the registry, for the operator. */
  readonly serverName: string;
  /** Fetches keys of identity providers. */
  readonly fetchJson: FetchJson;
  /** Looks for TXT records in DNS. */
  readonly lookUpTxt: LookUpTxt;
  /** Opens the targets of log files that the operator bound: folders and S3-compatible services. */
  readonly openTarget: OpenTarget;
  /** Threads for analyses and for SAML assertions. The core closes them. */
  readonly analysisThreads: AnalysisThreads;
  readonly samlThreads: SamlThreads;
  /** Thread that searches records for generated policies. The core closes it. */
  readonly generationThreads: WorkThreads;
  /** Thread that hashes records for the transparency log. The core closes it. */
  readonly trailLogThread: TrailLogThread;
  readonly firstStartFiles: FirstStartFiles;
  /** Contents of objects. Absent if the server has no place for them: then it has no buckets. */
  readonly contents?: Contents;
  /** Durations of the syncs of the database's log, for metrics. Absent on PostgreSQL, which syncs its own log. */
  readonly syncs?: Durations;
  /** Note of an open gap of the trail. Absent if the server has no place for it. */
  readonly gapNote?: GapNote;
  /** Note of the last signed head of the transparency log. Absent if the server has no place for it, or if its database is in memory. */
  readonly trailHeadNote?: TrailHeadNote;
  /** Listeners of the SIP proxy, and DNS for the hosts of routes. Absent if the operator has not enabled them. */
  readonly sip?: SipOutside;
  /** Listens for the operator's commands. */
  readonly listenForControl: (parts: ControlParts) => Promise<{ close(): void }>;
  /** Receives the core's orders for the sockets of messaging sessions: messages to send and sockets to close. */
  readonly follow: (orders: readonly SocketOrder[]) => void;
  /** Receives, four times a second, the number of milliseconds for which the core can serve requests. */
  readonly readyForMs: (milliseconds: number) => void;
  /** Logs a line, which starts with lower case and has no prefix. */
  readonly report: Log;
}
