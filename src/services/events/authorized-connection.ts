/**
 * Authorization of connections. With OAuth, an outgoing message gets the first token, because an operation has no network. A receiver that
 * refuses the authorization ends it.
 */
import { instant } from '#core/instant.ts';
import { subscription } from '../kit/events.ts';
import type { Call } from '../kit/operation.ts';
import { laneOf, type OutgoingFailed, type OutgoingSent, outgoing } from '../kit/outgoing.ts';
import { type ConnectionRecord, connectionArn, connectionByArn, setConnectionState } from './connection-records.ts';

/** Attempts to get the first token, and the time for them. Assumed. */
const ATTEMPTS = 4;
const LIFETIME_MS = 60_000;
/** Longest reason. Source: events 2015-10-07, ConnectionStateReason. */
const REASON_MAX = 512;

/** Adds the message that authorizes a connection with OAuth. */
export async function requestAuthorization(call: Call, connection: ConnectionRecord): Promise<void> {
  if (connection.document.State !== 'AUTHORIZING') return;
  const { accountId, region } = connection;
  const arn = connectionArn(connection);
  await call.tx.of(outgoing).add({
    ...{ id: call.newId(), accountId, region, lane: laneOf('connection', arn), ordered: true },
    target: { kind: 'connection', arn },
    sender: { service: 'events.amazonaws.com', sourceArn: arn, sourceAccount: accountId },
    ...{ body: '', createdAt: call.now, maximumAttempts: ATTEMPTS, expiresAt: instant(call.now + LIFETIME_MS) },
  });
}

/**
 * Sets a connection to AUTHORIZED when the authorization endpoint returned a token, and to DEAUTHORIZED with the reason when it did not.
 *
 * Source: EventBridge User Guide, "Connection states". Assumed: the reasons, and that an endpoint that cannot be reached also means
 * DEAUTHORIZED.
 */
export const authorizeConnection = subscription<OutgoingSent | OutgoingFailed>()(
  ['OutgoingSent', 'OutgoingFailed'],
  async ({ tx, now }, event) => {
    const { target } = event.message;
    const connection = target.kind === 'connection' ? await connectionByArn(tx, target.arn) : undefined;
    if (connection?.document.State !== 'AUTHORIZING') return;
    if (event.type === 'OutgoingSent') await setConnectionState(tx, connection, { State: 'AUTHORIZED', LastAuthorizedTime: now });
    else await setConnectionState(tx, connection, { State: 'DEAUTHORIZED', StateReason: event.reason.slice(0, REASON_MAX) });
  },
);

/**
 * Sets a connection to DEAUTHORIZED when a receiver refused its authorization. A connection that was updated since then stays as it is.
 *
 * Source: EventBridge User Guide, "De-authorizing connections": with basic or API key authorization, after 401 or 407. Assumed: the reason,
 * and that the parameters are kept as after a refused token.
 */
export const deauthorizeConnection = subscription<OutgoingFailed>()(['OutgoingFailed'], async ({ tx }, { refused, reason }) => {
  const connection = refused && (await connectionByArn(tx, refused.arn));
  if (connection?.document.State !== 'AUTHORIZED' || connection.updatedAt !== refused?.updatedAt) return;
  await setConnectionState(tx, connection, { State: 'DEAUTHORIZED', StateReason: reason.slice(0, REASON_MAX) });
});
