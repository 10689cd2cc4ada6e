/** Stored bots of Chime accounts. */
import type { AccountId } from '#core/arn.ts';
import type { Vault } from '#core/vault.ts';
import type { ResourceKey, ResourceKind, ResourcePlace, ResourceRecord } from '#store/resources.ts';
import type { Reseal } from '../kit/service.ts';

export interface ChimeBotDocument {
  readonly DisplayName: string;
  readonly BotEmail: string;
  readonly Disabled: boolean;
  /** Security token, encrypted by `Vault.seal`, bound to `botBinding`. */
  readonly sealedToken: string;
  /** Endpoint that has answered the challenge. */
  readonly OutboundEventsHTTPSEndpoint?: string;
  /** Function of Lambda that receives the events instead. */
  readonly LambdaFunctionArn?: string;
}

/** Bots. The parent is the Chime account, and the ID is the bot ID. Bots have no region. */
export const CHIME_BOT: ResourceKind<ChimeBotDocument> = { name: 'chime-bot' };
export type ChimeBotRecord = ResourceRecord<ChimeBotDocument>;

/** Chime account that owns a bot. */
export interface BotOwner {
  readonly accountId: AccountId;
  readonly chimeAccountId: string;
}

/** Returns the place of the bots of a Chime account. */
export function botsOf({ accountId, chimeAccountId }: BotOwner): ResourcePlace {
  return { accountId, region: '', parent: chimeAccountId };
}

/** Returns the `boundTo` argument of `Vault.seal` for the security token of a bot. */
export function botBinding({ accountId, parent, id }: ResourceKey): string {
  return `chime-bot/${accountId}/${parent}/${id}`;
}

/** Reports whether a bot receives events: it is enabled and has an endpoint. Assumed: a disabled bot receives none. */
export function receivesEvents({ Disabled, OutboundEventsHTTPSEndpoint, LambdaFunctionArn }: ChimeBotDocument): boolean {
  return !Disabled && (OutboundEventsHTTPSEndpoint !== undefined || LambdaFunctionArn !== undefined);
}

/** Returns the security token of a bot. */
export function openBotToken(vault: Pick<Vault, 'open'>, bot: ChimeBotRecord): string {
  return vault.open(bot.document.sealedToken, botBinding(bot));
}

/** Returns a bot whose token is encrypted with the newest operator key. */
export function resealedBot(bot: ChimeBotRecord, reseal: Reseal): ChimeBotRecord {
  return { ...bot, document: { ...bot.document, sealedToken: reseal(bot.document.sealedToken, botBinding(bot)) } };
}
