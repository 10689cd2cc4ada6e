import type { Vault } from '#core/vault.ts';
import type { Bot, ChimeApi } from '#model/generated/chime.ts';
import { botBinding, botsOf, CHIME_BOT, type ChimeBotRecord, openBotToken } from '../chime-kit/chime-bots.ts';
import { pageOf } from '../chime-kit/page.ts';
import { QUOTAS_MAX } from '../chime-kit/quotas.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import type { ChimeDeps } from './deps.ts';
import { enterpriseAccount } from './rooms.ts';
import { badRequest, type Finder, limitExceeded, notFound } from './stored-accounts.ts';
import type { AccountRecord } from './tables/accounts.ts';
import { users } from './tables/users.ts';
import { webhooks } from './tables/webhooks.ts';
import { normalizedEmail, requireName } from './texts.ts';

/** Source: Administration Guide, "Managing bots". */
const DISPLAY_NAME_MAX = 55;
/** Default page size. Source: Chime API reference, ListBots. */
const PAGE_RESULTS = 10;
/** Length of a security token in bytes. Assumed: the length, which gives 32 characters, as in the example of the API reference. */
const TOKEN_BYTES = 24;

/**
 * Bots of Enterprise accounts. Source: chime 2018-05-01; chime.md §3. All responses contain the security token, as those of the CLI examples.
 *
 * Every operation throws NotFoundException if the account does not exist, and then BadRequestException if it is a Team account.
 */
export function botOperations({ vault, quotas }: Pick<ChimeDeps, 'vault' | 'quotas'>) {
  const newToken = (call: Call) => Buffer.from(call.random(TOKEN_BYTES)).toString('base64');
  return {
    /**
     * Creates a bot. Its name and its address do not change later.
     *
     * Source: recorded response of CreateBot, for the form of the name and the address. Assumed: (1) The domain must be a verified domain of the
     * account. The default is its only domain. (2) The name must form a valid address. (3) The codes of the checks.
     * @throws BadRequestException             the name is invalid or forms no address · the domain is not verified, or is absent and not the
     *   only one · the address is in use
     * @throws ResourceLimitExceededException  the account has the maximum number of bots
     */
    CreateBot: {
      async handle(call, { AccountId, DisplayName, Domain }) {
        requireName(DisplayName);
        if (DisplayName.length > DISPLAY_NAME_MAX) throw badRequest();
        const account = await enterpriseAccount(call, AccountId);
        const BotEmail = `${DisplayName}-chimebot@${domainFor(account, Domain)}`;
        const email = normalizedEmail(BotEmail);
        const others = await botsIn(call, account);
        if (others.length >= quotas.bots) throw limitExceeded();
        if (others.some(({ document }) => document.BotEmail.toLowerCase() === email)) throw badRequest();
        if ((await call.tx.of(users).memberWithEmail(email)) !== undefined) throw badRequest();
        const key = { ...botsOf(account), id: call.newId() };
        const sealedToken = vault.seal(newToken(call), botBinding(key));
        const document = { DisplayName: `${DisplayName} (Bot)`, BotEmail, Disabled: false, sealedToken };
        const bot: ChimeBotRecord = { ...key, createdAt: call.now, updatedAt: call.now, tags: [], document };
        await call.tx.resources.add(CHIME_BOT, bot);
        return { Bot: toBot(vault, bot) };
      },
    },

    /** @throws NotFoundException  the bot does not exist */
    GetBot: {
      handle: async (call, input) => ({ Bot: toBot(vault, await botOrNotFound(call, input)) }),
    },

    /** Lists bots, oldest first. Assumed: the order. @throws BadRequestException  the token is invalid */
    ListBots: {
      async handle(call, input) {
        const account = await enterpriseAccount(call, input.AccountId);
        const { items, rest } = await pageOf(
          `ListBots ${account.chimeAccountId}`,
          input,
          async (limit, after = '') => (await botsIn(call, account)).filter((bot) => placeOf(bot) > after).slice(0, limit),
          placeOf,
          PAGE_RESULTS,
        );
        return { Bots: items.map((bot) => toBot(vault, bot)), ...rest };
      },
    },

    /**
     * Disables or enables a bot. A disabled bot stays in its rooms and cannot be added to others.
     *
     * Assumed: (1) A request without `Disabled` changes nothing. (2) The webhooks of a disabled bot end. An enabled bot gets new ones when it is
     * mentioned or added to a room.
     * @throws NotFoundException  the bot does not exist
     */
    UpdateBot: {
      async handle(call, { Disabled, ...input }) {
        const before = await botOrNotFound(call, input);
        if (Disabled === undefined) return { Bot: toBot(vault, before) };
        if (Disabled) await call.tx.of(webhooks).removeBot(before.id);
        return { Bot: toBot(vault, await changeBot(call, before, { ...before.document, Disabled })) };
      },
    },

    /** Replaces the security token of a bot. Assumed: the old token and the webhooks of the bot end at once. @throws NotFoundException  the bot does not exist */
    RegenerateSecurityToken: {
      async handle(call, input) {
        const before = await botOrNotFound(call, input);
        const sealedToken = vault.seal(newToken(call), botBinding(before));
        await call.tx.of(webhooks).removeBot(before.id);
        return { Bot: toBot(vault, await changeBot(call, before, { ...before.document, sealedToken })) };
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}

/** Returns the domain of a new bot's address. @throws BadRequestException  the domain is not verified, or absent and not the only one */
function domainFor({ document: { Domains = [] } }: AccountRecord, wanted: string | undefined): string {
  const domain = wanted?.toLowerCase() ?? (Domains.length === 1 ? Domains[0] : undefined);
  if (domain === undefined || !Domains.includes(domain)) throw badRequest();
  return domain;
}

/** Returns the bots of an account, oldest first. */
async function botsIn({ tx }: Finder, account: AccountRecord): Promise<readonly ChimeBotRecord[]> {
  const bots = await tx.resources.list(CHIME_BOT, botsOf(account), QUOTAS_MAX.bots);
  return bots.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

/** Returns the position of a bot in the list. Positions are in the order of strings, as times have 13 digits until 2286. */
function placeOf({ createdAt, id }: ChimeBotRecord): string {
  return `${createdAt} ${id}`;
}

/** Returns a bot of an account of the caller. @throws NotFoundException  the account or the bot does not exist */
export async function botOrNotFound(
  call: Finder,
  { AccountId, BotId }: { readonly AccountId: string; readonly BotId: string },
): Promise<ChimeBotRecord> {
  const account = await enterpriseAccount(call, AccountId);
  const bot = await call.tx.resources.get(CHIME_BOT, { ...botsOf(account), id: BotId });
  if (bot === undefined) throw notFound('Bot', BotId);
  return bot;
}

/** Stores a bot with another document. */
export async function changeBot({ tx, now }: Call, bot: ChimeBotRecord, document: ChimeBotRecord['document']): Promise<ChimeBotRecord> {
  const changed = { ...bot, updatedAt: now, document };
  await tx.resources.put(CHIME_BOT, changed);
  return changed;
}

/** Returns a bot in the shape of the model. Source: recorded response of CreateBot: the user ID is the bot ID. */
function toBot(vault: Pick<Vault, 'open'>, bot: ChimeBotRecord): Bot {
  const { DisplayName, BotEmail, Disabled } = bot.document;
  return {
    BotId: bot.id,
    UserId: bot.id,
    DisplayName,
    BotType: 'ChatBot',
    Disabled,
    CreatedTimestamp: bot.createdAt,
    UpdatedTimestamp: bot.updatedAt,
    BotEmail,
    SecurityToken: openBotToken(vault, bot),
  };
}
