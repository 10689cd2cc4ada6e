/** Sender to bots of Lex V2. */
import { gunzipSync } from 'node:zlib';
import { parseArn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { LEX_MESSAGES_MAX, type LexAnswer, type LexMessage } from '#services/chime-kit/lex-answer.ts';
import type { OutgoingTarget } from '#services/kit/outgoing.ts';
import type { Outcome } from '../outcome.ts';
import type { AwsClients, ServiceEndpoint } from './aws-clients.ts';

type LexTarget = Extract<OutgoingTarget, { readonly kind: 'lex' }>;

/** Longest compressed member of an answer, after its decompression. */
const MEMBER_MAX_BYTES = 65_536;
/** Longest name of an intent, and of its state. Source: Lex V2 model: names have at most 100 characters. */
const NAME_MAX = 100;

/** Error: the answer does not have the form of Lex. */
class InvalidAnswer extends Error {}

/**
 * Sends a text to a bot, or starts a session with an intent if there is no text. Rejects with the error of the client, for
 * `outcomeOfError`.
 *
 * Source: Lex V2, RecognizeText and PutSession. PutSession compresses `messages` and `sessionState` and encodes them in base64.
 * Assumed: the welcome intent starts with PutSession, because RecognizeText requires a text.
 */
export async function askBot(clients: AwsClients, endpoint: ServiceEndpoint, target: LexTarget, text: string): Promise<Outcome> {
  const [, botId = '', botAliasId = ''] = (parseArn(target.arn)?.resource ?? '').split('/');
  const { localeId, sessionId, requestAttributes, intent } = target;
  const { PutSessionCommand, RecognizeTextCommand } = await import('@aws-sdk/client-lex-runtime-v2');
  const client = await clients.of('lex', endpoint);
  const session = { botId, botAliasId, localeId, sessionId, requestAttributes };
  try {
    if (intent === undefined) {
      const { messages, sessionState } = await client.send(new RecognizeTextCommand({ ...session, text }));
      return answered(messages ?? [], sessionState);
    }
    const sessionState = { intent: { name: intent }, dialogAction: { type: 'Delegate' as const } };
    const started = await client.send(
      new PutSessionCommand({ ...session, sessionState, responseContentType: 'text/plain; charset=utf-8' }),
    );
    return answered(decompressed(started.messages) ?? [], decompressed(started.sessionState));
  } catch (error) {
    if (!(error instanceof InvalidAnswer)) throw error;
    return { kind: 'failed', code: 'SDK_CLIENT_ERROR', message: error.message };
  }
}

/** Returns the JSON of a header; undefined if the header is absent. */
function decompressed(encoded: string | undefined): unknown {
  if (encoded === undefined || encoded === '') return undefined;
  try {
    return JSON.parse(gunzipSync(Buffer.from(encoded, 'base64'), { maxOutputLength: MEMBER_MAX_BYTES }).toString('utf8'));
  } catch {
    throw new InvalidAnswer('the answer of the bot is invalid');
  }
}

function answered(messages: unknown, sessionState: unknown): Outcome {
  if (!Array.isArray(messages)) throw new InvalidAnswer('the answer of the bot is invalid');
  if (messages.length > LEX_MESSAGES_MAX) throw new InvalidAnswer(`the answer of the bot has more than ${LEX_MESSAGES_MAX} messages`);
  const { name, state } = objectOf(objectOf(sessionState)['intent']);
  const answer: LexAnswer = omitUndefined({ messages: messages.map(toMessage), intentName: nameOf(name), intentState: nameOf(state) });
  return { kind: 'sent', answer: JSON.stringify(answer) };
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= NAME_MAX ? value : undefined;
}

function toMessage(message: unknown): LexMessage {
  const { content, contentType, imageResponseCard: card } = objectOf(message);
  return omitUndefined({
    Content: content === undefined || content === null ? undefined : textOf(content),
    ContentType: textOf(contentType),
    ImageResponseCard: card === undefined || card === null ? undefined : toCard(objectOf(card)),
  });
}

function toCard({ title, subtitle, imageUrl, buttons }: Readonly<Record<string, unknown>>): NonNullable<LexMessage['ImageResponseCard']> {
  const optional = (value: unknown) => (value === undefined || value === null ? undefined : textOf(value));
  const toButton = (button: unknown) => ({ Text: textOf(objectOf(button)['text']), Value: textOf(objectOf(button)['value']) });
  return omitUndefined({
    Title: textOf(title),
    Subtitle: optional(subtitle),
    ImageUrl: optional(imageUrl),
    Buttons: Array.isArray(buttons) ? buttons.map(toButton) : undefined,
  });
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new InvalidAnswer('the answer of the bot is invalid');
  return value;
}
