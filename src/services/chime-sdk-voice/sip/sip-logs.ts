/**
 * SIP messages of calls, for the log groups of Voice Connectors with `EnableSIPLogs`. Requirements LOG-27 and LOG-28.
 *
 * Source: Chime SDK Administrator Guide, "Monitoring with CloudWatch Logs": the name of the group and the members of a log event. Amazon
 * CloudWatch Logs User Guide, "Enable logging from AWS services": the service that writes, and its source ARN.
 * Assumed: (1) the group must exist, and a resource policy must allow the service. AWS creates both. (2) `call_id` is the ID of the call in
 * its record. (3) The name of the stream. (4) The group is that of the first Voice Connector, also if the call fails over to another one.
 */
import { type AccountId, arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Work } from '../../kit/events.ts';
import type { LogWrite, WriteLogs } from '../../kit/log-events.ts';
import type { SipConnector } from './decision.ts';
import { connectorOfAnyAccount } from './state.ts';

/** SIP message that the proxy sent or received. */
export interface SipMessage {
  /** Milliseconds since 1970, by the clock of the proxy. */
  readonly at: number;
  readonly text: string;
}

/** Message of a call whose Voice Connector has SIP logs. */
export interface SipLogEntry extends SipMessage {
  readonly connectorId: string;
  readonly transactionId: string;
}

/** Messages of one server that wait for a decision or for the next write. */
export interface SipLogBook {
  /** Assigns a call to its Voice Connector. Earlier messages of the call are kept for 5 seconds. */
  decided(callId: string, connector: SipConnector, transactionId: string): void;
  /** Adds a message. Drops it if its call belongs to no Voice Connector with SIP logs. */
  add(message: SipMessage): void;
  /** Removes and returns the messages that are to be written, and the number of messages that were dropped because there were too many. */
  take(): { readonly entries: readonly SipLogEntry[]; readonly dropped: number };
}

/** Service that writes the logs, as resource policies of log groups name it. */
const SERVICE = 'delivery.logs.amazonaws.com';
const HELD_MS = 5_000;
/** Most that the time of a message may differ from this server's time. Otherwise the time of its arrival is used. */
const SKEW_MAX_MS = 60_000;
/** Limits of the memory of one server. */
const LIMITS = { calls: 20_000, heldMessages: 1_000, entries: 5_000, bytes: 16_777_216 };
/** Bytes of one write, below the limit of a batch. */
const BATCH_BYTES = 786_432;
const BATCH_EVENTS = 5_000;

interface LoggedCall {
  readonly connectorId: string;
  readonly transactionId: string;
}

/** Creates the book of one server. */
export function sipLogBook(now: () => Instant): SipLogBook {
  /** Calls by Call-ID. `null`: the Voice Connector has no SIP logs. */
  const calls = lruMap<string, LoggedCall | null>(LIMITS.calls);
  let held: (SipMessage & { readonly callId: string; readonly heldAt: number })[] = [];
  let entries: SipLogEntry[] = [];
  let bytes = 0;
  let dropped = 0;

  function push(message: SipMessage, call: LoggedCall): void {
    if (entries.length >= LIMITS.entries || bytes >= LIMITS.bytes) {
      dropped++;
      return;
    }
    const text = withoutCredentials(message.text);
    bytes += text.length;
    // A log group refuses events that are too old or in the future.
    const at = Math.abs(message.at - now()) > SKEW_MAX_MS ? now() : message.at;
    entries.push({ at, text, ...call });
  }

  return {
    decided(callId, { id, logsSip }, transactionId) {
      const call = logsSip ? { connectorId: id, transactionId } : null;
      calls.set(callId, call);
      if (call !== null) for (const message of held) if (message.callId === callId) push(message, call);
      held = held.filter((message) => message.callId !== callId);
    },

    add(message) {
      const callId = callIdOf(message.text);
      const call = callId === undefined ? null : calls.get(callId);
      if (call === null) return;
      if (call !== undefined) {
        push(message, call);
        return;
      }
      held = held.filter(({ heldAt }) => heldAt + HELD_MS > now());
      if (held.length < LIMITS.heldMessages) held.push({ ...message, callId: callId as string, heldAt: now() });
    },

    take() {
      const taken = { entries, dropped };
      entries = [];
      bytes = 0;
      dropped = 0;
      return taken;
    },
  };
}

/** Returns the Call-ID of a SIP message. Source: RFC 3261 §20.8; `i` is its compact form. */
export function callIdOf(message: string): string | undefined {
  return /(?:^|[\r\n])(?:call-id|i)[ \t]*:[ \t]*([^\s]{1,512})/i.exec(message)?.[1];
}

/** Returns a message without the credentials in `Authorization` and `Proxy-Authorization`. Their schemes remain. Requirement LOG-28. */
export function withoutCredentials(message: string): string {
  let isHidden = false;
  const parts = message.split(/(\r\n|\r|\n)/).map((part, index) => {
    if (index % 2 === 1) return part;
    // A line that begins with a space continues the header of the line before.
    if (isHidden && /^[ \t]/.test(part)) return '';
    const [start] = /^(?:proxy-)?authorization[ \t]*:(?:[ \t]*(?:Digest|Basic|Bearer)(?=[ \t]))?/i.exec(part) ?? [];
    isHidden = start !== undefined;
    return start === undefined ? part : `${start} HIDDEN_DUE_TO_SECURITY_REASONS`;
  });
  return parts.join('');
}

/** Messages of a Voice Connector that were not written. */
export interface LostSipLogs {
  readonly accountId: AccountId;
  readonly connectorId: string;
  readonly messages: number;
  /** Reason for the log: `the log group '…' does not exist`. */
  readonly reason: string;
}

/**
 * Writes messages to the log group of their Voice Connector, if it still has SIP logs. Messages of other connectors are dropped. Resolves to the
 * messages that could not be written.
 */
export async function writeSipLogs(work: Work, writeLogs: WriteLogs, entries: readonly SipLogEntry[]): Promise<readonly LostSipLogs[]> {
  const lost: LostSipLogs[] = [];
  for (const [id, ofConnector] of Map.groupBy(entries, ({ connectorId }) => connectorId)) {
    const connector = await connectorOfAnyAccount(work.tx, id);
    if (connector?.document.LoggingConfiguration?.EnableSIPLogs !== true) continue;
    const { accountId, document } = connector;
    const region = document.AwsRegion;
    const logGroupName = `/aws/ChimeVoiceConnectorSipMessages/${id}`;
    const events = ofConnector.map(({ at, text, transactionId }) => ({
      timestamp: instant(at),
      message: JSON.stringify({
        voice_connector_id: id,
        aws_region: region,
        event_timestamp: at,
        call_id: transactionId,
        sip_message: text,
      }),
    }));
    for (const batch of batches(events)) {
      const writer = { service: SERVICE, sourceArn: arn('logs', region, accountId, '*'), sourceAccount: accountId };
      const written = await writeLogs(work, writer, {
        ...{ accountId, region, logGroupName, events: batch },
        logStreamName: `SipMessages/${new Date(work.now).toISOString().slice(0, 10).replaceAll('-', '/')}`,
      });
      if (written !== 'written')
        lost.push({ accountId, connectorId: id, messages: batch.length, reason: reasonOf(written, logGroupName, region) });
    }
  }
  return lost;
}

function reasonOf(written: Exclude<LogWrite, 'written'>, logGroupName: string, region: string): string {
  switch (written) {
    case 'no such group':
      return `the log group '${logGroupName}' does not exist in '${region}'`;
    case 'denied':
      return `no resource policy allows '${SERVICE}' to write to the log group '${logGroupName}' in '${region}'`;
    case 'too large':
      return `the messages are too large for the log group '${logGroupName}'`;
  }
}

function batches<Item extends { readonly message: string }>(items: readonly Item[]): readonly (readonly Item[])[] {
  const all: Item[][] = [[]];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(item.message);
    const last = all.at(-1) as Item[];
    if (last.length > 0 && (bytes + size > BATCH_BYTES || last.length >= BATCH_EVENTS)) {
      all.push([item]);
      bytes = size;
    } else {
      last.push(item);
      bytes += size;
    }
  }
  return all;
}
