/** A local LDAP directory with TLS: OpenLDAP's `slapd`, with attributes of Active Directory. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { Attribute, Change, Client } from 'ldapts';
import { tlsMaterial } from '#server/edge/tls.ts';
import { readSettings } from '#server/settings.ts';
import { newFolder } from '../kit/folder.ts';
import { freePort } from '../kit/free-port.ts';
import { until } from '../kit/until.ts';

export const BASE = 'dc=example,dc=com';
export const READER = { dn: `cn=reader,${BASE}`, password: 'reads-the-directory' } as const;
/** Reader that gets at most two entries of a search. */
export const LIMITED = { dn: `cn=limited,${BASE}`, password: 'reads-a-little' } as const;

const ROOT = { dn: `cn=root,${BASE}`, password: 'writes-the-directory' } as const;

export interface Directory {
  readonly port: number;
  /** Certificate authority of the directory, in PEM. */
  readonly ca: string;
  /** Key and certificate of the directory for `localhost`, in PEM. */
  readonly key: string;
  readonly certificate: string;
  /** Changes entries as the administrator of the directory. */
  change(run: (client: Client) => Promise<void>): Promise<void>;
  /** Stops the directory. Resolves when it has ended. */
  stop(): Promise<void>;
}

const SCHEMA = `
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.146 NAME 'objectSid' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.98 NAME 'primaryGroupID' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.1 NAME 'directoryPerson' SUP top AUXILIARY
  MAY ( proxyAddresses $ userAccountControl $ objectGUID $ objectSid $ primaryGroupID ) )
objectclass ( 1.3.6.1.4.1.99999.2 NAME 'directoryGroup' SUP top AUXILIARY MAY ( objectSid ) )
`;

/**
 * Starts a directory with entries in LDIF below the base. It stops after the tests of the file. A reader with the description `no people` or
 * `no groups` cannot read these.
 */
export async function startDirectory(entries: string): Promise<Directory> {
  const folder = newFolder('slapd');
  await tlsMaterial(readSettings([], { BELFRY_DATA: folder }), Date.now(), () => {});
  mkdirSync(join(folder, 'db'));
  const file = join(folder, 'slapd.conf');
  writeFileSync(
    file,
    `${['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`).join('\n')}
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
${SCHEMA}
pidfile ${join(folder, 'pid')}
TLSCertificateFile ${join(folder, 'tls', 'server.pem')}
TLSCertificateKeyFile ${join(folder, 'tls', 'server.key')}
TLSCACertificateFile ${join(folder, 'tls', 'ca.pem')}
database mdb
suffix "${BASE}"
directory ${join(folder, 'db')}
overlay ppolicy
limits dn.exact="${LIMITED.dn}" size=2
rootdn "${ROOT.dn}"
rootpw ${ROOT.password}
access to filter=(objectClass=inetOrgPerson) by set="user/description & [no people]" none by * break
access to filter=(objectClass=groupOfNames) by set="user/description & [no groups]" none by * break
access to attrs=userPassword by anonymous auth
access to * by dn.exact="${READER.dn}" read by dn.exact="${LIMITED.dn}" read by anonymous auth
`,
  );
  const ldif = join(folder, 'entries.ldif');
  writeFileSync(
    ldif,
    `dn: ${BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n
dn: ${READER.dn}\nobjectClass: person\ncn: reader\nsn: reader\nuserPassword: ${READER.password}\n
dn: ${LIMITED.dn}\nobjectClass: person\ncn: limited\nsn: limited\nuserPassword: ${LIMITED.password}\n\n${entries}`,
  );
  execFileSync('/usr/sbin/slapadd', ['-f', file, '-l', ldif], { stdio: ['ignore', 'ignore', 'inherit'] });
  const port = await freePort();
  const child: ChildProcess = spawn('/usr/sbin/slapd', ['-d', '0', '-f', file, '-h', `ldaps://127.0.0.1:${port} ldaps://[::1]:${port}`], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  after(stop);
  await until(
    () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.destroy();
          resolve(true);
        });
        socket.on('error', () => resolve(false));
      }),
    () => 'slapd does not listen',
  );
  const [ca, key, certificate] = ['ca.pem', 'server.key', 'server.pem'].map((name) => readFileSync(join(folder, 'tls', name), 'utf8')) as [
    string,
    string,
    string,
  ];
  const change: Directory['change'] = async (run) => {
    const client = new Client({ url: `ldaps://localhost:${port}`, tlsOptions: { ca }, timeout: 60_000, connectTimeout: 60_000 });
    try {
      await client.bind(ROOT.dn, ROOT.password);
      await run(client);
    } finally {
      await client.unbind();
    }
  };
  return { port, ca, key, certificate, change, stop };
}

/** Returns an entry of a person in LDIF. */
export function personEntry(uid: string, password: string, attributes: readonly string[]): string {
  const classes = ['inetOrgPerson', 'directoryPerson'].map((name) => `objectClass: ${name}\n`).join('');
  return `dn: uid=${uid},${BASE}\n${classes}uid: ${uid}\ncn: ${uid}\nsn: ${uid}\nuserPassword: ${password}\n${attributes.join('\n')}\n\n`;
}

/** Returns an entry of a group in LDIF. Members are people, `ada`, and other groups, `cn=Staff`. */
export function groupEntry(cn: string, ...members: readonly string[]): string {
  const lines = members.map((member) => `member: ${member.includes('=') ? member : `uid=${member}`},${BASE}\n`).join('');
  return `dn: cn=${cn},${BASE}\nobjectClass: groupOfNames\ncn: ${cn}\n${lines}\n`;
}

/** Returns a line in LDIF with the security identifier `S-1-5-21-1-2-3-ID` of Active Directory. */
export function sidLine(relativeId: number): string {
  const sid = Buffer.alloc(28);
  sid.set([1, 5, 0, 0, 0, 0, 0, 5]);
  for (const [i, part] of [21, 1, 2, 3, relativeId].entries()) sid.writeUInt32LE(part, 8 + 4 * i);
  return `objectSid:: ${sid.toString('base64')}`;
}

/** Replaces the values of an attribute. Without values, the entry loses it. */
export async function replaceAttribute(client: Client, rdn: string, type: string, ...values: readonly string[]): Promise<void> {
  const modification = new Attribute({ type, values: [...values] });
  await client.modify(`${rdn},${BASE}`, new Change({ operation: 'replace', modification }));
}
