/** The endpoint of webhooks: bots of Amazon Chime write in rooms with the token that an event gave them. `services/chime/webhooks.ts` writes. */
import { NO_ACCOUNT } from '#core/arn.ts';
import { type Answer, header } from '#core/exchange.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Tx } from '#store/store.ts';
import { capped } from '#trail/fields.ts';
import { serviceEventRow } from '#trail/service-event.ts';
import type { Webhooks } from '../core/services.ts';
import { bodyOf, jsonAnswer, readParameters, readStrings } from './http.ts';
import type { SignInParts } from './parts.ts';
import { WEBHOOK_PATH } from './paths.ts';
import type { PageRequest } from './site.ts';

/** Most characters of a body. A message has at most 4 KB, and JSON may escape each of its characters. */
const BODY_MAX = 32_768;
const TARGET_MAX = 1_024;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Messages of the errors. Assumed: the wording. */
const MESSAGES = {
  400: 'The message is not valid.',
  403: 'The URL of the webhook is not valid.',
  404: 'The webhook does not exist.',
  413: 'The message is too long.',
  429: 'Too many messages.',
} as const;

type Opened = Awaited<ReturnType<Webhooks['openWebhook']>>;

/**
 * Creates the endpoint.
 *
 * Source: Administration Guide, "Troubleshooting webhook errors": 400, 403 for an invalid URL, 404 for a deleted webhook, 413, 429; no CORS.
 * Assumed: (1) 404 also for an expired webhook and a wrong token. (2) The body of a success is an empty object. (3) All members of the
 * body are strings, and those other than `Content` are ignored.
 */
export function webhookEndpoint(parts: SignInParts, webhooks: Webhooks): (request: PageRequest) => Promise<Answer> {
  return async (received) => {
    const names = namesIn(received.target);
    const status = await parts.store.transaction(async (tx) => {
      const work = parts.addEmit({ tx, now: parts.now(), newId: parts.newId });
      const opened = names && (await webhooks.openWebhook(work, names.webhookId, names.token));
      const found = names === undefined ? 403 : opened === undefined ? 404 : contentOf(received);
      const ended =
        typeof found === 'number' || opened === undefined ? found : await webhooks.writeWithWebhook(work, opened, found.content);
      const result = typeof ended === 'number' ? ended : 404;
      await record(tx, received, opened, result);
      return result;
    });
    if (status === 200) return jsonAnswer(200, {});
    return jsonAnswer(status, { Message: MESSAGES[status] }, ...(status === 429 ? ['retry-after', '1'] : []));
  };

  /**
   * Records a request in the event history of the AWS account of the room. The record has neither the message nor the token. The number of records
   * of refused requests is limited (Decision 0015), so that a receiver of events cannot fill the event history.
   *
   * Specific to Belfry: AWS documents no records of webhooks.
   */
  async function record(tx: Tx, received: PageRequest, opened: Opened, status: 200 | keyof typeof MESSAGES): Promise<void> {
    parts.recorded.add(received);
    if (!parts.recording) return;
    const now = parts.now();
    if (status !== 200 && !parts.unproven.admit(received, opened?.webhook.accountId ?? NO_ACCOUNT, now)) return;
    await tx.trail.append(
      serviceEventRow({
        accountId: opened?.webhook.accountId ?? NO_ACCOUNT,
        region: parts.region,
        now,
        eventId: parts.newId(),
        eventName: 'SendWebhookMessage',
        eventSource: 'chime.amazonaws.com',
        invokedBy: 'chime.amazonaws.com',
        details: omitUndefined({
          outcome: status === 200 ? 'Success' : 'Failure',
          chimeAccountId: opened?.webhook.chimeAccountId,
          roomId: opened?.webhook.roomId,
          botId: opened?.webhook.botId,
          webhookId: opened?.webhook.webhookId,
          errorMessage: status === 200 ? undefined : MESSAGES[status],
          sourceIPAddress: capped(received.sourceIp),
          userAgent: capped(header(received, 'user-agent') ?? ''),
        }),
      }),
    );
  }
}

/** Returns the ID and the token in the URL of a webhook; undefined if the URL is malformed. */
function namesIn(target: string): { readonly webhookId: string; readonly token: string } | undefined {
  if (target.length > TARGET_MAX) return undefined;
  const { pathname, search } = new URL(target, 'https://localhost');
  const webhookId = pathname.slice(WEBHOOK_PATH.length + 1);
  const token = readParameters(search.slice(1))?.get('token') ?? '';
  return UUID.test(webhookId) && TOKEN.test(token) ? { webhookId, token } : undefined;
}

/** Reads the message. Returns the status of the error if the body is too large or malformed. */
function contentOf(received: PageRequest): { readonly content: string | undefined } | 400 | 413 {
  if (received.body.length > BODY_MAX) return 413;
  const text = bodyOf(received, 'application/json');
  const members = text === undefined ? undefined : readStrings(text, BODY_MAX);
  return members === undefined ? 400 : { content: members.get('Content') };
}
