import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi, EventsConfiguration } from '#model/generated/chime.ts';
import type { ChimeBotDocument, ChimeBotRecord } from '../chime-kit/chime-bots.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import type { TryOutgoing } from '../kit/outgoing.ts';
import { dryRunOf } from './bot-events.ts';
import { botOrNotFound, changeBot } from './bots.ts';
import type { ChimeDeps, PostJson } from './deps.ts';
import { badRequest, notFound } from './stored-accounts.ts';

/** Most characters of a URL. Assumed: the number, as the model has no limit. */
const URL_MAX = 2_048;
/** ARN of a function, with an optional version or alias. Source: Lambda, Invoke: FunctionName. */
const FUNCTION_ARN = /^arn:aws[\w-]*:lambda:[a-z0-9-]{1,40}:\d{12}:function:[\w-]{1,64}(?::[\w$-]{1,128})?$/;
/** Random bytes of a challenge. Source: Administration Guide: a challenge has 20 characters. */
const CHALLENGE_BYTES = 10;

/**
 * Endpoints that receive the events of bots. Source: chime 2018-05-01; chime.md §3.
 *
 * Every operation throws NotFoundException if the account or the bot does not exist, and BadRequestException if the account is a Team account.
 */
export function eventsConfigurationOperations({ postJson, tryOutgoing }: Pick<ChimeDeps, 'postJson' | 'tryOutgoing'>) {
  return {
    /**
     * Sets the endpoint of a bot: an https URL that has answered a challenge, or a function of Lambda that has accepted a dry run. Replaces an
     * earlier endpoint.
     *
     * Source: Administration Guide, "Configuring chat bots": the challenge and its answer, and the dry run. Assumed: (1) The code for a failed
     * check. (2) A request with both kinds of endpoints, or with none, is a BadRequest. (3) So is a function for which the operator has no
     * endpoint.
     * @throws BadRequestException          the endpoint is absent or invalid, both kinds are set, or the check failed
     * @throws ServiceUnavailableException  the server waits for too many endpoints already
     */
    PutEventsConfiguration: {
      async handle(call, { OutboundEventsHTTPSEndpoint: endpoint, LambdaFunctionArn, ...input }) {
        const target = targetOf(endpoint, LambdaFunctionArn);
        if (target === undefined) throw badRequest();
        const before = await botOrNotFound(call, input);
        const works =
          'LambdaFunctionArn' in target
            ? await acceptsDryRun(call, tryOutgoing, before, target.LambdaFunctionArn)
            : answersChallenge(call, postJson, target.OutboundEventsHTTPSEndpoint);
        if (!works) throw badRequest();
        const bot = await changeBot(call, before, { ...withoutTarget(before.document), ...target });
        return { EventsConfiguration: toConfiguration(bot) };
      },
    },

    /** @throws NotFoundException  the bot has no endpoint */
    GetEventsConfiguration: {
      async handle(call, input) {
        const bot = await botOrNotFound(call, input);
        if (!hasTarget(bot)) throw notFound('EventsConfiguration', bot.id);
        return { EventsConfiguration: toConfiguration(bot) };
      },
    },

    /** Removes the endpoint of a bot. Assumed: a bot without an endpoint is not an error, as NotFound is not modeled. */
    DeleteEventsConfiguration: {
      async handle(call, input) {
        const bot = await botOrNotFound(call, input);
        if (hasTarget(bot)) await changeBot(call, bot, withoutTarget(bot.document));
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}

type EventsTarget = { readonly OutboundEventsHTTPSEndpoint: string } | { readonly LambdaFunctionArn: string };

/** Returns the only target of a request. Undefined if there are none or both, or if the target is invalid. */
function targetOf(endpoint: string | undefined, functionArn: string | undefined): EventsTarget | undefined {
  if (endpoint !== undefined && functionArn !== undefined) return undefined;
  if (endpoint !== undefined) return isEndpoint(endpoint) ? { OutboundEventsHTTPSEndpoint: endpoint } : undefined;
  return functionArn !== undefined && FUNCTION_ARN.test(functionArn) ? { LambdaFunctionArn: functionArn } : undefined;
}

function hasTarget({ document }: ChimeBotRecord): boolean {
  return document.OutboundEventsHTTPSEndpoint !== undefined || document.LambdaFunctionArn !== undefined;
}

function withoutTarget(document: ChimeBotDocument): ChimeBotDocument {
  const { OutboundEventsHTTPSEndpoint: _url, LambdaFunctionArn: _function, ...rest } = document;
  return rest;
}

function toConfiguration({ id, document: { OutboundEventsHTTPSEndpoint, LambdaFunctionArn } }: ChimeBotRecord): EventsConfiguration {
  return omitUndefined({ BotId: id, OutboundEventsHTTPSEndpoint, LambdaFunctionArn });
}

/** Returns whether a function accepts a dry run. Runs it outside of the transaction. */
async function acceptsDryRun(call: Call, tryOutgoing: TryOutgoing, bot: ChimeBotRecord, functionArn: string): Promise<boolean> {
  return call.contact(`dry run ${functionArn}`, await tryOutgoing(call.tx, dryRunOf(call, bot, functionArn)));
}

function isEndpoint(text: string): boolean {
  if (text.length > URL_MAX || !URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return protocol === 'https:' && username === '' && password === '';
}

/** Returns whether an endpoint answers a random challenge with the same challenge. Sends it outside of the transaction. */
function answersChallenge({ contact, random }: Call, postJson: PostJson, endpoint: string): boolean {
  return contact(`challenge ${endpoint}`, async () => {
    const Challenge = Buffer.from(random(CHALLENGE_BYTES)).toString('hex');
    const answer = await postJson(endpoint, { Challenge, EventType: 'HTTPSEndpointVerification' });
    return typeof answer === 'object' && answer !== null && 'Challenge' in answer && answer.Challenge === Challenge;
  });
}
