import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mentionedBots } from './mentions.ts';

const bot = (name: string) => ({
  id: name,
  document: { DisplayName: `${name} (Bot)`, BotEmail: `${name}-chimebot@example.com`, Disabled: false, sealedToken: '' },
});
const BOTS = [bot('my'), bot('myBot'), bot('überBot')];

// biome-ignore format: a table
const ROWS: readonly (readonly [content: string, mentioned: readonly string[]])[] = [
  // content                                mentioned
  ['@myBot@example.com Hello Chatbot',      ['myBot']],
  ['@myBot-chimebot@example.com',           ['myBot']],
  ['Hello @myBot (Bot).',                   ['myBot']],
  ['Hello @MYBOT, and (@my)!',              ['myBot', 'my']],
  ['thanks @myBot. @myBot',                 ['myBot']],
  ['@ÜberBot',                              ['überBot']],
  ['@myBot@example.com.',                   ['myBot']],
  ['ada@myBot',                             []],
  ['@@myBot',                               []],
  ['@myBots',                               []],
  ['@myBot@example.org',                    []],
  ['@myBot@example.com.org',                []],
  ['myBot @ all',                           []],
  ['@',                                     []],
];

for (const [content, mentioned] of ROWS)
  test(`mentionedBots: '${content}' mentions ${mentioned.length === 0 ? 'no bot' : mentioned.join(', ')}`, () =>
    assert.deepEqual(mentionedBots(content, BOTS), mentioned));
