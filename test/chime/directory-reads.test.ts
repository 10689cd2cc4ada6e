/** Reads of LDAP directories that limit their results, or do not answer. */
import assert from 'node:assert/strict';
import type { AddressInfo, Socket } from 'node:net';
import { after, test } from 'node:test';
import { createServer } from 'node:tls';
import type { DirectorySettings } from '#server/core/services.ts';
import { ldapDirectories } from '#server/sign-in/people/ldap.ts';
import { BASE, groupEntry, LIMITED, personEntry, READER, replaceAttribute, sidLine, startDirectory } from './slapd.ts';

const PASSWORD = 'Correct-Horse-7';
const NAMES = ['ada', 'bob', 'cat'] as const;
const EMAILS = NAMES.map((name) => `${name}@example.com`);
const GUID = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
const directory = await startDirectory(
  [
    ...NAMES.map((uid) => personEntry(uid, PASSWORD, [`mail: ${uid}@example.com`])),
    ...['One', 'Two', 'Three'].map((name) => groupEntry(name, 'ada')),
    groupEntry('Staff', 'bob'),
    personEntry('dan', PASSWORD, [
      'mail: dan@example.com',
      'primaryGroupID: 513',
      sidLine(1104),
      `objectGUID:: ${GUID.toString('base64')}`,
    ]),
    `${groupEntry('Domain Users', 'cn=Nobody').trimEnd()}\nobjectClass: directoryGroup\n${sidLine(513)}\n\n`,
    groupEntry('All', 'cn=Domain Users'),
  ].join(''),
);
const directories = ldapDirectories([`localhost:${directory.port}`]);

function settings(port: number, reader: { readonly dn: string; readonly password: string }): DirectorySettings {
  return {
    ...{ url: `ldaps://localhost:${port}`, baseDn: BASE, bindDn: reader.dn, bindPassword: reader.password, caCertificates: directory.ca },
    ...{ emailAttribute: 'mail', proxyAddressAttribute: 'proxyAddresses', displayNameAttribute: 'displayName' },
  };
}

const sought = (emails: readonly string[]) => emails.map((email) => ({ email }));

/** Returns the sorted groups of each person, or the reason why the directory cannot be read. */
async function groups(reader: typeof READER | typeof LIMITED, emails: readonly string[]): Promise<unknown> {
  const found = await directories.readPeople(settings(directory.port, reader), sought(emails));
  return typeof found === 'string' ? found : Object.fromEntries([...found].map(([email, person]) => [email, person.groups.toSorted()]));
}

test('Directory: people and groups of a search that the directory cuts are not absent', async () => {
  const all = { 'ada@example.com': ['One', 'Three', 'Two'], 'bob@example.com': ['Staff'], 'cat@example.com': [] };
  assert.deepEqual(await groups(READER, EMAILS), all);
  assert.deepEqual(await groups(LIMITED, EMAILS.slice(1)), { 'bob@example.com': ['Staff'], 'cat@example.com': [] });
  assert.match(String(await groups(LIMITED, EMAILS)), /only some of the entries/);
  assert.match(String(await groups(LIMITED, EMAILS.slice(0, 1))), /only some of the groups/);
  const signIn = directories.signIn(settings(directory.port, LIMITED), { email: 'ada@example.com', password: PASSWORD }, async () => true);
  await assert.rejects(signIn, /only some of the groups/);
});

test('Directory: the primary group of Active Directory counts, with the groups that contain it', async () => {
  assert.deepEqual(await groups(READER, ['dan@example.com']), { 'dan@example.com': ['All', 'Domain Users'] });
  const signIn = directories.signIn(settings(directory.port, READER), { email: 'dan@example.com', password: PASSWORD }, async () => true);
  const person = await signIn;
  assert.ok(person !== 'wrong');
  assert.deepEqual([person.groups.toSorted(), person.entryId], [['All', 'Domain Users'], `objectGUID:${GUID.toString('hex')}`]);
});

test('Directory: a person with a known entry is found with another address, and by the address if the entry is gone', async () => {
  const read = async (email: string, entryId: string) => {
    const found = await directories.readPeople(settings(directory.port, READER), [{ email, entryId }]);
    return typeof found === 'string' ? found : [found.get(email)?.email, found.get(email)?.entryId];
  };
  const dan = `objectGUID:${GUID.toString('hex')}`;
  assert.deepEqual(await read('former@example.com', dan), ['dan@example.com', dan]);
  // Another person has the earlier address.
  assert.deepEqual(await read('ada@example.com', dan), ['dan@example.com', dan]);
  const [, ada = ''] = await read('ada@example.com', 'entryUUID:00000000-0000-4000-8000-000000000000');
  assert.match(ada, /^entryUUID:[0-9a-f-]{36}$/);
  assert.deepEqual(await read('former@example.com', ada), ['ada@example.com', ada]);
  assert.deepEqual(await read('former@example.com', 'objectGUID:*)(objectClass=*'), [undefined, undefined]);
});

test('Directory: an entry is another one if it exists with another ID, also a disabled one', async () => {
  const entryIdOf = async (email: string) => {
    const found = await directories.readPeople(settings(directory.port, READER), sought([email]));
    return typeof found === 'string' ? found : (found.get(email)?.entryId ?? '');
  };
  const [ada, cat] = [await entryIdOf('ada@example.com'), await entryIdOf('cat@example.com')];
  const dan = `objectGUID:${GUID.toString('hex')}`;
  let danUuid = '';
  await directory.change(async (client) => {
    await replaceAttribute(client, 'uid=cat', 'userAccountControl', '514');
    const { searchEntries } = await client.search(`uid=dan,${BASE}`, { scope: 'base', attributes: ['entryUUID'] });
    danUuid = `entryUUID:${String(searchEntries[0]?.['entryUUID'])}`;
  });
  // biome-ignore format: a table
  for (const [title, former, current, expected] of [
    ['another entry',                       ada,                                               cat,       true ],
    ['a disabled one',                      cat,                                               ada,       true ],
    ['the person has no visible ID',        ada,                                               undefined, true ],
    ['a deleted one',                       'entryUUID:00000000-0000-4000-8000-000000000000',  ada,       false],
    ['the same entry with another ID',      danUuid,                                           dan,       false],
    ['another entry, by its second ID',     danUuid,                                           ada,       true ],
  ] as const)
    assert.equal(await directories.hasOtherEntry(settings(directory.port, READER), { former, current }), expected, title);
});

test('Directory: a sign-in and a synchronization have a time in which the directory must answer', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer({ key: directory.key, cert: directory.certificate }, (socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => silent.listen(0, 'localhost', resolve));
  after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  const hasty = ldapDirectories([`localhost:${port}`], 200);
  const signIn = hasty.signIn(settings(port, READER), { email: 'ada@example.com', password: PASSWORD }, async () => true);
  await assert.rejects(signIn, /takes too long/);
  assert.match(String(await hasty.readPeople(settings(port, READER), sought(EMAILS))), /takes too long/);
});
