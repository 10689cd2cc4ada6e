/** Prepares attempts: finds the endpoint of each target in the transaction that selects its message. */
import type { Vault } from '#core/vault.ts';
import type { WantedWebhook } from '#services/chime/webhooks.ts';
import { APP_INSTANCE_USER_ENDPOINT, inAppInstance } from '#services/chime-kit/app-instances.ts';
import { botsOf, CHIME_BOT, openBotToken, receivesEvents } from '#services/chime-kit/chime-bots.ts';
import type { PushNotification } from '#services/chime-kit/push-notification.ts';
import { openAttributes, projectOf, receives } from '#services/chime-kit/user-endpoints.ts';
import type { OutgoingMessage, OutgoingTarget } from '#services/kit/outgoing.ts';
import type { Store, Tx } from '#store/store.ts';
import { connections } from '../../targets/connections.ts';
import type { Outcome } from '../outcome.ts';
import type { Attempt, PrepareAttempt } from '../outgoing-delivery.ts';
import { endpoints } from '../tables/endpoints.ts';
import type { ApiDestination, ConnectionAuthorization, DestinationSender } from './api-destinations.ts';
import type { AwsClients } from './aws-clients.ts';
import { sendBotEvent } from './bot-endpoints.ts';
import { outcomeOfError, retryAfterMs } from './failures.ts';
import type { SendMail } from './mail.ts';
import { exchange } from './post.ts';
import { pushOutcome, pushRequest } from './push.ts';
import { type SenderRoleParts, senderRoles } from './sender-role.ts';
import { findEndpoint, openEndpoint, openSecret } from './service-endpoint.ts';
import { isServiceTarget, type ServiceTarget, sendToService } from './services.ts';

/** Delivers a message to a log group of this server. Runs in a transaction. */
export type WriteToLogGroup = (tx: Tx, message: OutgoingMessage) => Promise<Outcome>;

export interface TargetParts extends SenderRoleParts {
  readonly store: Pick<Store, 'transaction'>;
  readonly vault: Pick<Vault, 'open'>;
  readonly clients: AwsClients;
  /** Loads the code of log groups. */
  readonly logGroups: () => Promise<WriteToLogGroup>;
  /** Reads an API destination of an account. */
  readonly destination: (tx: Tx, message: OutgoingMessage, arn: string) => Promise<ApiDestination | undefined>;
  /** Reads the authorization of a connection. */
  readonly authorization: (tx: Tx, message: OutgoingMessage, arn: string) => Promise<ConnectionAuthorization | undefined>;
  readonly destinations: DestinationSender;
  readonly sendMail: SendMail;
  /** Creates a webhook of a bot. Returns its URL, or undefined if the bot can no longer write in the room. */
  readonly webhookUrl: (tx: Tx, webhook: WantedWebhook) => Promise<string | undefined>;
  /** Hosts that may have internal addresses, although an account chose them: `hooks.corp.example`, `localhost:8443`. */
  readonly internalHosts: readonly string[];
}

/** Time of one request to an endpoint without the protocol of AWS. */
const REQUEST_MS = 10_000;
/** Most missing endpoints that the log names. */
const NAMED_MAX = 1_000;

/** Creates the function that prepares attempts. */
export function targetAttempts(parts: TargetParts): PrepareAttempt {
  const named = new Set<string>();
  const refusalOf = senderRoles(parts);
  const kept = connections('kept');
  const once = connections('once');

  /** Returns the outcome of a target whose service has no endpoint. The log names each one once. */
  function missing(service: string, { accountId, region }: Pick<OutgoingMessage, 'accountId' | 'region'>): Outcome {
    const key = `${service} ${accountId} ${region}`;
    if (!named.has(key) && named.size < NAMED_MAX) {
      named.add(key);
      parts.report(`there is no endpoint for '${service}' of account '${accountId}' in '${region}'; add one with 'belfry endpoint add'`);
    }
    return { kind: 'failed', code: 'NO_RESOURCE', message: `the server has no endpoint for the service ${service}` };
  }

  async function service(tx: Tx, message: OutgoingMessage, target: ServiceTarget): Promise<Attempt> {
    const found = await findEndpoint(tx, message.accountId, target);
    switch (found.kind) {
      case 'invalid':
        return always({ kind: 'failed', code: 'NO_RESOURCE', message: 'the ARN of the target is invalid' });
      case 'missing':
        return always(missing(target.kind, { accountId: message.accountId, region: found.region }));
      case 'foreign':
        return always({ kind: 'failed', code: 'NO_PERMISSIONS', message: 'the target belongs to another account' });
      case 'found':
        return async () => await sendToService(parts.clients, openEndpoint(parts.vault, found.endpoint, found.region), target, message);
    }
  }

  /**
   * Prepares an event of a bot. A bot that was disabled, or whose endpoint was removed, needs no attempt. Each attempt has its own webhook, so that
   * no token is stored.
   *
   * Assumed: a function of Lambda receives the same body, with three attempts and the usual waits.
   */
  async function bot(tx: Tx, message: OutgoingMessage, { chimeAccountId, botId, webhook }: TargetOf<'bot'>): Promise<Attempt> {
    const { accountId, attempts } = message;
    const found = await tx.resources.get(CHIME_BOT, { ...botsOf({ accountId, chimeAccountId }), id: botId });
    if (found === undefined || !receivesEvents(found.document)) return always({ kind: 'sent' });
    const { LambdaFunctionArn, OutboundEventsHTTPSEndpoint: url = '' } = found.document;
    const endpoint = webhook && (await parts.webhookUrl(tx, { accountId, chimeAccountId, botId, ...webhook }));
    const body = webhook === undefined || endpoint === undefined ? message.body : withWebhook(message.body, webhook.type, endpoint);
    if (LambdaFunctionArn !== undefined) return await service(tx, { ...message, body }, { kind: 'lambda', arn: LambdaFunctionArn });
    return async () => {
      const allowInternal = parts.internalHosts.includes(new URL(url).host);
      const token = openBotToken(parts.vault, found);
      return await sendBotEvent({ url, body, token, attempts, now: parts.now(), allowInternal, connections: once });
    };
  }

  /** Prepares a push notification. A device that was removed, or that no longer receives messages, needs no attempt. */
  async function push(tx: Tx, message: OutgoingMessage, { appInstanceId, userId, endpointId }: TargetOf<'push'>): Promise<Attempt> {
    const key = { ...inAppInstance(message, appInstanceId), id: `${userId}/${endpointId}` };
    const device = await tx.resources.get(APP_INSTANCE_USER_ENDPOINT, key);
    const project = device && projectOf(device.document);
    if (device === undefined || project === undefined || !receives(device)) return always({ kind: 'sent' });
    const found = await tx.of(endpoints).find('push', message.accountId, message.region);
    if (found === undefined) return always(missing('push', message));
    return async () => {
      const attributes = openAttributes(parts.vault, device);
      const request = pushRequest({ type: device.document.Type, project }, attributes, JSON.parse(message.body) as PushNotification);
      if (request === undefined) return { kind: 'sent' };
      try {
        const token = openSecret(parts.vault, found);
        const { status, headers, body } = await exchange({
          url: new URL(`${found.url.replace(/\/$/, '')}/${request.path}`),
          method: 'POST',
          headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
          body: request.body,
          allowInternal: found.allowInternal,
          timeoutMs: REQUEST_MS,
          connections: kept,
        });
        return pushOutcome(status, body, retryAfterMs(headers['retry-after'], parts.now()));
      } catch (error) {
        return outcomeOfError(error);
      }
    };
  }

  async function destination(tx: Tx, message: OutgoingMessage, target: TargetOf<'apiDestination'>): Promise<Attempt> {
    const found = await parts.destination(tx, message, target.arn);
    if (found === undefined) return always({ kind: 'failed', code: 'NO_RESOURCE', message: 'the API destination does not exist' });
    return () => parts.destinations.send(found, target, message);
  }

  async function connection(tx: Tx, message: OutgoingMessage, { arn }: TargetOf<'connection'>): Promise<Attempt> {
    const found = await parts.authorization(tx, message, arn);
    if (found === undefined)
      return always({ kind: 'failed', code: 'NO_RESOURCE', message: 'the connection has no authorization parameters' });
    return () => parts.destinations.authorize(found);
  }

  return async (tx, message) => {
    const { target } = message;
    const refused = await refusalOf(tx, message);
    if (refused !== undefined) return always(refused);
    if (isServiceTarget(target)) return await service(tx, message, target);
    if (target.kind === 'push') return await push(tx, message, target);
    if (target.kind === 'bot') return await bot(tx, message, target);
    if (target.kind === 'mail') return () => parts.sendMail(message, target);
    if (target.kind === 'apiDestination') return await destination(tx, message, target);
    if (target.kind === 'connection') return await connection(tx, message, target);
    return async () => {
      const write = await parts.logGroups();
      return await parts.store.transaction((own) => write(own, message));
    };
  };
}

type TargetOf<Kind extends OutgoingTarget['kind']> = Extract<OutgoingTarget, { readonly kind: Kind }>;

/** Adds a webhook to an event. Source: Administration Guide, "Chat bot events sent to chat bots". */
function withWebhook(body: string, EndpointType: string, Url: string): string {
  return JSON.stringify({ ...(JSON.parse(body) as object), InboundHttpsEndpoint: { EndpointType, Url } });
}

function always(outcome: Outcome): Attempt {
  return async () => outcome;
}
