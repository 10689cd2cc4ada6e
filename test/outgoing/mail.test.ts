/** Mail to a real SMTP server on loopback, and into the folder for mail. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { START, testClock } from '#delivery/delivery-fixture.ts';
import { ACCOUNT, messageOf, outgoingFixture, QUEUE } from '#delivery/outgoing/outgoing-fixture.ts';
import { MAIL_RUNNING_MAX, type SendMail, smtpSender } from '#delivery/outgoing/targets/mail.ts';
import { mailFolder, mailFolderSender } from '#delivery/outgoing/targets/mail-folder.ts';
import { type SmtpServer, smtpServerOf } from '#delivery/outgoing/targets/smtp-server.ts';
import { readSmtpFile } from '#server/smtp-file.ts';
import { subscription } from '#services/kit/events.ts';
import { type MailRefused, type NewMail, queueMail, refusedMail } from '#services/kit/mail.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { trustAuthority } from '../kit/chat.ts';
import { newFolder } from '../kit/folder.ts';
import { listed } from '../kit/listed.ts';
import { belfry } from '../kit/process.ts';
import { startReceiver } from '../kit/receivers.ts';
import { type SmtpReceiver, selfSigned, startSmtpReceiver } from '../kit/smtp.ts';
import { until } from '../kit/until.ts';

const FROM = 'belfry@chime.example';

/** Returns the server that a URL names, with a port. */
function serverAt({ port }: Pick<SmtpReceiver, 'port'>, more: Partial<SmtpServer> = {}, login = ''): SmtpServer {
  return { ...(smtpServerOf(`smtp://${login}localhost:${port}`) as SmtpServer), ...more };
}
const sendTo = (receiver: Pick<SmtpReceiver, 'port'>, more: Partial<SmtpServer> = {}, login = ''): SendMail =>
  smtpSender({ server: () => serverAt(receiver, more, login), from: FROM });

/** Opens a store and a delivery for one test. */
async function setUp(sendMail: SendMail) {
  const clock = testClock(START);
  const store = await openSqlite(':memory:', { now: () => clock.wall() });
  const refused: MailRefused[] = [];
  const listen = subscription<MailRefused>()(['MailRefused'], async (_work, event) => void refused.push(event));
  const fixture = outgoingFixture(store, clock, { sendMail }, [refusedMail, listen]);
  const delivery = fixture.server();
  after(async () => {
    await delivery.stop();
    await store.close();
  });
  let number = 0;
  return {
    ...fixture,
    ...{ clock, refused, counters: delivery.counters },
    /** Queues messages in one transaction. */
    async queue(...mails: readonly Partial<NewMail>[]): Promise<void> {
      await store.transaction(async (tx) => {
        for (const mail of mails) {
          const work = { tx, now: clock.wall(), newId: () => `mail-${++number}` };
          await queueMail(work, {
            accountId: ACCOUNT,
            reference: 'user-1',
            to: 'ada@example.com',
            subject: 'Hello',
            text: 'Hi.\n',
            ...mail,
          });
        }
      });
      delivery.wake();
    },
    /** Lets the time pass until a condition holds, so that waits of the delivery end. */
    untilLater: (holds: () => boolean, description: () => string) =>
      until(async () => {
        if (holds()) return true;
        clock.set(clock.wall() + 500);
        return false;
      }, description),
  };
}

test('mail: an SMTP server gets the message once, with one recipient, a stable ID and the text unchanged', async () => {
  const receiver = await startSmtpReceiver();
  const { queue, counters, stored } = await setUp(sendTo(receiver));
  const text = `Grüße aus Zürich.\n\nhttps://chime.example/register?token=${'a'.repeat(120)}\n.\nA line after a dot.\n`;
  await queue({ subject: 'Einladung zu „Größe“', text });
  await until(
    () => counters.sent === 1,
    () => JSON.stringify(counters),
  );
  const [{ from, to, mail, raw, isEncrypted }, ...others] = receiver.received as [(typeof receiver.received)[0]];
  assert.deepEqual([from, to, isEncrypted, others], [FROM, ['ada@example.com'], false, []]);
  assert.deepEqual([mail.subject, mail.text], ['Einladung zu „Größe“', text]);
  assert.deepEqual([mail.from?.address, mail.to?.[0]?.address, mail.messageId], [FROM, 'ada@example.com', '<mail-1@chime.example>']);
  assert.match(raw, /^Auto-Submitted: auto-generated\r$/m);
  await until(
    async () => (await stored()).length === 0,
    () => 'the message is removed',
  );
});

// biome-ignore format: a table
const STATUSES: readonly [title: string, replies: readonly number[], attempts: number, reason: string | undefined][] = [
  ['4xx is retried with waits until the message is accepted', [451, 421, 450], 4, undefined],
  ['5xx is final and MailRefused',                            [550],           1, 'the mail server responded with the status 550'],
  ['5xx after a 4xx is final and MailRefused',                [451, 554],      2, 'the mail server responded with the status 554'],
];

for (const [title, replies, attempts, reason] of STATUSES) {
  test(`mail: ${title}`, async () => {
    const receiver = await startSmtpReceiver();
    receiver.reply(() => replies[receiver.recipients.length - 1]);
    const { queue, counters, refused, untilLater, reports, clock } = await setUp(sendTo(receiver));
    await queue({});
    await untilLater(
      () => counters.sent + counters.lost === 1,
      () => JSON.stringify([counters, reports]),
    );
    assert.equal(receiver.recipients.length, attempts);
    assert.equal(receiver.received.length, reason === undefined ? 1 : 0);
    const event = { type: 'MailRefused', accountId: ACCOUNT, reference: 'user-1', reason };
    assert.deepEqual(refused, reason === undefined ? [] : [event]);
    assert.ok(clock.wall() >= START + (attempts > 1 ? 500 : 0), 'a retry waits');
    assert.doesNotMatch(reports.join('\n'), /secret of the receiver/);
  });
}

test('mail: MailRefused follows when the time for attempts ends', async () => {
  const receiver = await startSmtpReceiver();
  receiver.reply(() => 451);
  const { queue, refused, reports, clock } = await setUp(sendTo(receiver));
  await queue({});
  await until(
    async () => {
      clock.set(clock.wall() + 12 * 3_600_000);
      return refused.length === 1;
    },
    () => reports.join('\n'),
  );
  assert.equal(refused[0]?.reason, 'the mail server responded with the status 451');
  assert.ok(clock.wall() > START + 4 * 86_400_000, 'it is retried for four days');
});

test('mail: a login is sent, and a refused one is retried because the operator can correct it', async () => {
  const login = ['belfry', 'pass:w@rd'] as const;
  const receiver = await startSmtpReceiver({ login });
  let text = 'belfry:wrong@';
  const sender = smtpSender({ server: () => serverAt(receiver, {}, text), from: FROM });
  const { queue, counters, reports, refused, untilLater } = await setUp(sender);
  await queue({});
  await untilLater(
    () => counters.failedAttempts >= 2,
    () => JSON.stringify(counters),
  );
  text = 'belfry:pass%3Aw%40rd@';
  await untilLater(
    () => counters.sent === 1,
    () => JSON.stringify([counters, reports]),
  );
  assert.deepEqual([receiver.received[0]?.user, refused], ['belfry', []]);
  assert.match(reports.join('\n'), /NO_PERMISSIONS: the mail server refused the login/);
  assert.doesNotMatch(reports.join('\n'), /wrong|w@rd/);
});

// biome-ignore format: a table
const TLS: readonly [title: string, offered: 'none' | 'untrusted' | 'trusted', secure: boolean, delivered: boolean][] = [
  ['a server without STARTTLS gets nothing, also no password',      'none',      false, false],
  ['a certificate of an unknown authority is refused',              'untrusted', false, false],
  ['STARTTLS with a trusted certificate delivers',                  'trusted',   false, true],
  ['TLS from the begin with an unknown certificate is refused',     'untrusted', true,  false],
  ['TLS from the begin with a trusted certificate delivers',        'trusted',   true,  true],
];

for (const [title, offered, secure, delivered] of TLS) {
  test(`mail: if TLS is required, ${title}`, async () => {
    const tls = selfSigned();
    if (offered === 'trusted') trustAuthority(tls.certFile);
    const receiver = await startSmtpReceiver({ login: ['u', 'p'], secure, ...(offered !== 'none' && { tls }) });
    const sender = sendTo(receiver, { requiresTls: !secure, secure }, 'u:p@');
    const { queue, counters, reports } = await setUp(sender);
    await queue({});
    await until(
      () => counters.sent + counters.failedAttempts >= 1,
      () => JSON.stringify(counters),
    );
    assert.deepEqual([counters.sent, counters.lost], [delivered ? 1 : 0, 0]);
    assert.deepEqual([receiver.recipients.length, receiver.received[0]?.isEncrypted], delivered ? [1, true] : [0, undefined]);
    if (!delivered) assert.match(reports.join('\n'), /the mail server has no TLS, or a certificate that is not trusted/);
  });
}

test('mail: a server that never responds delays only mail, and holds at most 8 attempts of many accounts', async () => {
  const receiver = await startSmtpReceiver();
  receiver.reply(() => 'hang');
  const { queue, counters, add, endpoint, reports } = await setUp(sendTo(receiver));
  const others = await startReceiver();
  await endpoint('sqs', others.url);
  await queue(...Array.from({ length: 60 }, (_, i) => ({ accountId: String(111122223333 + (i % 20)) as typeof ACCOUNT })));
  await until(
    () => receiver.recipients.length === MAIL_RUNNING_MAX,
    () => `${receiver.recipients.length} attempts`,
  );
  await add(...Array.from({ length: 20 }, (_, i) => messageOf(`other ${i}`, { target: { kind: 'sqs', arn: QUEUE } })));
  await until(
    () => counters.sent === 20,
    () => JSON.stringify([counters, reports]),
  );
  assert.deepEqual([receiver.recipients.length, receiver.received.length], [MAIL_RUNNING_MAX, 0]);
});

test('mail: an exchange that does not end in time is retried', async () => {
  const receiver = await startSmtpReceiver();
  receiver.reply(() => (receiver.recipients.length === 1 ? 'hang' : undefined));
  const { queue, counters, reports, untilLater } = await setUp(
    smtpSender({ server: () => serverAt(receiver), from: FROM, timeoutMs: 300 }),
  );
  await queue({});
  await untilLater(
    () => counters.sent === 1,
    () => JSON.stringify([counters, reports]),
  );
  assert.match(reports.join('\n'), /TIMEOUT: the mail server did not respond in time/);
});

// biome-ignore format: a table
const INVALID: readonly [title: string, mail: Partial<NewMail>, message: RegExp][] = [
  ['a line break in an address',              { to: 'ada@example.com\r\nBcc: eve@example.com' },     /email address is invalid/],
  ['a second address',                        { to: 'ada@example.com,eve@example.com' },             /email address is invalid/],
  ['an address with a name',                  { to: 'Ada <ada@example.com>' },                       /email address is invalid/],
  ['an address without a domain',             { to: 'ada' },                                         /email address is invalid/],
  ['a local part of 65 characters',           { to: `${'a'.repeat(65)}@example.com` },               /email address is invalid/],
  ['an option of SMTP in an address',         { to: 'ada@example.com> SIZE=1' },                     /email address is invalid/],
  ['a line feed in a subject',                { subject: 'Hello\nBcc: eve@example.com' },            /no line break/],
  ['a NUL in a subject',                      { subject: 'Hello\0' },                                /no line break/],
  ['a Unicode line separator in a subject',   { subject: 'Hello\u2028there' },                       /no line break/],
  ['a reversal of the direction in a subject', { subject: 'Hello \u202egpj' },                       /no line break/],
  ['a subject of 256 characters',             { subject: 'a'.repeat(256) },                          /at most 255/],
  ['a carriage return in a text',             { text: 'Hi\r\n.\r\nQUIT' },                           /no control characters/],
  ['a text of 65,537 characters',             { text: 'a'.repeat(65_537) },                          /at most 65536/],
];

test('mail: queueMail refuses what could change a message, and queues nothing', async () => {
  const receiver = await startSmtpReceiver();
  const { queue, stored } = await setUp(sendTo(receiver));
  for (const [title, mail, message] of INVALID) await assert.rejects(queue(mail), { code: 'BadRequestException', message }, title);
  assert.deepEqual([await stored(), receiver.recipients], [[], []]);
});

function dataFolder(): string {
  const folder = newFolder('mail');
  return folder;
}

test('mail: without an SMTP server each message is a private file, which belfry chime mail lists and prints', async () => {
  const data = dataFolder();
  const { queue, counters } = await setUp(mailFolderSender({ dataFolder: data, from: FROM }));
  await queue({ subject: 'Grüße', text: `Link: https://chime.example/${'x'.repeat(150)}\nEnde.\n` }, { to: 'bob@example.com' });
  await until(
    () => counters.sent === 2,
    () => JSON.stringify(counters),
  );
  const folder = mailFolder(data);
  const names = readdirSync(folder).sort();
  assert.deepEqual(names, ['20261129T120000000Z-mail-1.eml', '20261129T120000000Z-mail-2.eml']);
  assert.deepEqual([statSync(folder).mode & 0o777, statSync(join(folder, names[0] as string)).mode & 0o777], [0o700, 0o600]);
  const list = await belfry(['chime', 'mail', '--data', data]);
  assert.equal(list.status, 0, list.stderr);
  assert.deepEqual(listed(list.stdout), [
    { FILE: names[0], TO: 'ada@example.com', SUBJECT: 'Grüße' },
    { FILE: names[1], TO: 'bob@example.com', SUBJECT: 'Hello' },
  ]);
  const printed = await belfry(['chime', 'mail', names[0] as string, '--data', data]);
  assert.match(printed.stdout, /^To: ada@example\.com\nSubject: Grüße\n\nLink: https:\/\/chime\.example\/x{150}\nEnde\.\n$/m);
  const outside = await belfry(['chime', 'mail', '../operator.key', '--data', data]);
  assert.deepEqual([outside.status, outside.stdout], [1, '']);
});

test('mail: the folder keeps its newest messages, up to its limits', async () => {
  const data = dataFolder();
  const limits = { files: 3, bytes: 2_000 };
  const { queue, counters, clock } = await setUp(mailFolderSender({ dataFolder: data, from: FROM, limits }));
  const kept = () =>
    readdirSync(mailFolder(data))
      .sort()
      .map((name) => /mail-\d+/.exec(name)?.[0]);
  for (let i = 0; i < 5; i++) {
    clock.set(clock.wall() + 1_000);
    await queue({});
    await until(
      () => counters.sent === i + 1,
      () => JSON.stringify(counters),
    );
  }
  assert.deepEqual(kept(), ['mail-3', 'mail-4', 'mail-5']);
  clock.set(clock.wall() + 1_000);
  await queue({ text: 'a'.repeat(1_500) });
  await until(
    () => counters.sent === 6,
    () => JSON.stringify(counters),
  );
  assert.deepEqual(kept(), ['mail-6']);
});

// biome-ignore format: a table
const URLS: readonly [url: string, expected: SmtpServer | undefined][] = [
  ['smtp://mail.example.com',                     { host: 'mail.example.com', port: 587, secure: false, requiresTls: true }],
  ['smtps://u%40x:p%3Aw@mail.example.com',        { host: 'mail.example.com', port: 465, secure: true, requiresTls: false, user: 'u@x', password: 'p:w' }],
  ['smtp://10.0.0.5:25',                          { host: '10.0.0.5', port: 25, secure: false, requiresTls: true }],
  ['smtp://localhost:25',                         { host: 'localhost', port: 25, secure: false, requiresTls: false }],
  ['smtp://127.0.0.2:25',                         { host: '127.0.0.2', port: 25, secure: false, requiresTls: false }],
  ['smtp://[::1]:25',                             { host: '::1', port: 25, secure: false, requiresTls: false }],
  ['smtp://127.0.0.1.example.com:25',             { host: '127.0.0.1.example.com', port: 25, secure: false, requiresTls: true }],
  ['smtp://user@mail.example.com',                undefined],
  ['smtp://u:p%0d%0a@mail.example.com',           undefined],
  ['smtp://mail.example.com/path',                undefined],
  ['smtp://mail.example.com?tls=off',             undefined],
  ['http://mail.example.com',                     undefined],
  ['smtp://',                                     undefined],
];

test('BELFRY_SMTP_FILE: URLs of SMTP servers', () => {
  for (const [url, expected] of URLS) assert.deepEqual(smtpServerOf(url), expected, url);
});

test('BELFRY_SMTP_FILE: a file that others can read, or with another content, is refused without its content', () => {
  const file = join(dataFolder(), 'smtp');
  writeFileSync(file, 'smtp://u:geheim@mail.example.com\n', { mode: 0o600 });
  assert.equal(readSmtpFile(file).password, 'geheim');
  writeFileSync(file, 'geheim@mail.example.com\n');
  assert.throws(() => readSmtpFile(file), /^Error: '[^']+' must contain one line 'smtp:(?!.*geheim)/);
  const open = join(dataFolder(), 'smtp');
  writeFileSync(open, readFileSync(file), { mode: 0o644 });
  assert.throws(() => readSmtpFile(open), /accessible by other users/);
});
