/** Mentions of bots in messages. */
import type { ChimeBotRecord } from '../chime-kit/chime-bots.ts';

const SUFFIX = ' (Bot)';
/** A name ends where none of these follows. A period ends it unless a letter follows, as in a domain. */
const LONGER_NAME = /^(?:[\p{L}\p{N}_@-]|\.[\p{L}\p{N}])/u;
/** An `@` after one of these is part of an address. */
const IN_ADDRESS = /[\p{L}\p{N}_.@-]$/u;

/**
 * Returns the IDs of the bots that a message mentions.
 *
 *     '@myBot@example.com Hello', '@myBot hello', 'Hello @myBot (Bot).'  → the bot 'myBot' of example.com
 *     'ada@myBot', '@myBots', '@myBot@example.org'                       → none
 *
 * Source: Administration Guide, "Chat bot events sent to chat bots": `@botDisplayName@example.com`. Assumed: the other forms, and that upper and
 * lower case are the same. If several names match at one place, the longest is meant.
 */
export function mentionedBots(content: string, bots: readonly Pick<ChimeBotRecord, 'id' | 'document'>[]): readonly string[] {
  const text = content.toLowerCase();
  const names = bots
    .flatMap(({ id, document }) => namesOf(document).map((name) => ({ id, name: name.toLowerCase() })))
    .toSorted((a, b) => b.name.length - a.name.length);
  const mentioned = new Set<string>();
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    if (IN_ADDRESS.test(text.slice(Math.max(at - 2, 0), at))) continue;
    const found = names.find(
      ({ name }) => text.startsWith(name, at + 1) && !LONGER_NAME.test(text.slice(at + 1 + name.length, at + 5 + name.length)),
    );
    if (found !== undefined) mentioned.add(found.id);
  }
  return [...mentioned];
}

function namesOf({ DisplayName, BotEmail }: ChimeBotRecord['document']): readonly string[] {
  const name = DisplayName.endsWith(SUFFIX) ? DisplayName.slice(0, -SUFFIX.length) : DisplayName;
  return [BotEmail, `${name}${BotEmail.slice(BotEmail.lastIndexOf('@'))}`, `${name}${SUFFIX}`, name];
}
