/** Sections of the page about the server: the trail, TLS, software, retention and responsibility. */
import { counted } from '#core/counted.ts';
import type { ComplianceReport } from '../report/report.ts';
import {
  bullets,
  type Content,
  countOf,
  facts,
  type Html,
  html,
  joined,
  moreNote,
  notListed,
  type PageSection,
  preformatted,
  table,
} from './html.ts';

/** Returns the sections in their order. */
export function serverSections(report: ComplianceReport): readonly PageSection[] {
  return [
    { id: 'trail', title: 'Integrity of the trail', content: trailContent(report) },
    { id: 'tls', title: 'TLS', content: tlsContent(report) },
    { id: 'software', title: 'Software', content: softwareContent(report) },
    { id: 'retention', title: 'Retention', content: retentionContent(report) },
    { id: 'responsibility', title: 'Responsibility', content: responsibilityContent(report) },
  ];
}

function withMore(items: readonly string[], more: number): readonly Content[] {
  return more === 0 ? items : [...items, html`and ${more} more`];
}

function trailContent({ trail, generatedAt }: ComplianceReport): Html {
  const { deliveredFiles: delivered } = trail;
  const state = trail.intact
    ? html`<p><b>The trail is intact.</b> It was verified for this report at ${generatedAt}.</p>\n`
    : html`<p class="bad">The trail is NOT intact. It was verified for this report at ${generatedAt}.</p>\n${bullets(withMore(trail.problems, trail.moreProblems))}`;
  return html`${state}${facts(
    ['Records', trail.records],
    ['Deleted by retention', trail.deleted],
    ['Not in the log yet', trail.pending],
    ['Asked witnesses', joined(trail.askedWitnesses) || 'none'],
  )}${trail.notes.length === 0 ? '' : html`<h3>Notes</h3>\n${bullets(trail.notes)}`}${trail.logs.map(logContent)}${
    delivered === undefined
      ? html`<p class="note">Delivered files were not verified. The flag --folder names a copy of them.</p>\n`
      : html`<h3>Delivered files</h3>\n${facts(['Digests', delivered.digests], ['Log files', delivered.logFiles])}${
          delivered.intact
            ? html`<p>The files that digests list are intact.</p>\n`
            : html`<p class="bad">The files are NOT intact.</p>\n${bullets(withMore(delivered.problems, delivered.moreProblems))}`
        }${bullets(delivered.notes)}`
  }${table(
    'Chains of digests',
    [
      { title: 'Trail', cell: ({ trailArn }) => trailArn },
      { title: 'Account and region', cell: ({ accountId, region }) => `${accountId} ${region}` },
      { title: 'Covered until', cell: ({ coveredUntil, active }) => `${coveredUntil}${active ? '' : ', ended'}` },
      { title: 'Last digest', cell: ({ lastDigest = 'none', lastDigestSha256 = '' }) => `${lastDigest} ${lastDigestSha256}` },
      { title: 'Failures', cell: ({ failures }) => failures, isNumber: true },
    ],
    trail.digestChains,
    'No trail has written a digest.',
  )}${notListed(trail.moreDigestChains, 'chain')}`;
}

function logContent(log: ComplianceReport['trail']['logs'][number]): Html {
  return html`<h3>Transparency log, epoch ${log.epoch}</h3>\n${facts(
    ['Origin', log.origin],
    ['Public key', log.vkey],
    ['Leaves', log.size],
    ['Root hash', log.root],
  )}${table(
    `Checkpoints of epoch ${log.epoch}`,
    [
      { title: 'Kind', cell: ({ kind }) => kind },
      { title: 'Leaves', cell: ({ size }) => size, isNumber: true },
      { title: 'Time', cell: ({ at }) => at },
      { title: 'Signature of the log', cell: ({ logSignature }) => logSignature },
      { title: 'Signers', cell: ({ signers }) => joined(signers) },
      {
        title: 'Verified witnesses',
        cell: ({ verifiedWitnesses }) =>
          joined(verifiedWitnesses.map(({ name, at }) => `${name} at ${at}`)) || 'none, because no key was specified',
      },
    ],
    log.checkpoints,
  )}${log.checkpoints.slice(-1).map(({ note }) => html`${preformatted(note)}\n`)}${table(
    `Witnesses and writers of epoch ${log.epoch}`,
    [
      { title: 'Subject', cell: ({ subject }) => subject },
      { title: 'State', cell: ({ state, detail }) => `${state}${detail === '' ? '' : `: ${detail}`}` },
      { title: 'Since', cell: ({ since }) => since },
    ],
    log.states,
  )}`;
}

function tlsContent({ tls }: ComplianceReport): Html {
  const sources = {
    configured: 'It is the file of BELFRY_TLS_CERTIFICATE.',
    'local-ca': 'The local CA in the data folder issued it.',
    unknown: 'No certificate was found in the data folder of this machine.',
  } as const;
  return html`${facts(
    ['Oldest version', tls.minVersion],
    ['Newest version', tls.maxVersion],
    ['Suites', joined(tls.suites)],
    ['How known', tls.suitesFrom],
    ['Certificate', sources[tls.source]],
  )}${tls.problem === undefined ? '' : html`<p class="bad">${tls.problem}</p>\n`}${table(
    'Certificates',
    [
      { title: 'Subject', cell: ({ subject }) => subject },
      { title: 'Issuer', cell: ({ issuer }) => issuer },
      { title: 'Names', cell: ({ names = '' }) => names },
      {
        title: 'Valid',
        cell: ({ validFrom, validTo, expired, daysLeft }) =>
          `${validFrom} to ${validTo} (${expired ? 'EXPIRED' : `${counted(daysLeft, 'day')} left`})`,
      },
      { title: 'Key', cell: ({ key }) => key },
      { title: 'SHA-256', cell: ({ sha256 }) => sha256 },
    ],
    tls.certificates,
  )}`;
}

function softwareContent({ software }: ComplianceReport): Html {
  const { bill } = software;
  const schema =
    software.schemaVersion === software.schemaVersionOfProgram ? 'current' : `the program has ${software.schemaVersionOfProgram}`;
  return html`${facts(
    ['Belfry', software.belfry],
    ['Node.js', software.node],
    ['OpenSSL', software.openssl],
    ['Platform', software.platform],
    ['Database', `${software.databaseEngine} ${software.databaseVersion}`],
    ['Schema', `${counted(software.schemaVersion, 'migration')} (${schema})`],
    ['Updates', software.updates],
    [
      'Bill of materials',
      bill.file === undefined
        ? `not written: ${bill.problem}`
        : html`<code>${bill.file}</code> (CycloneDX), ${countOf(bill.packages, 'package')}`,
    ],
    [
      'Installed packages',
      html`${bill.installed}, of which ${bill.different.length} differ from package-lock.json${bill.different.length === 0 ? '' : `: ${joined(bill.different)}`}`,
    ],
    ['Packages without a hash', joined(bill.withoutIntegrity) || 'none'],
  )}${table(
    'Licenses of the packages',
    [
      { title: 'License', cell: ({ license }) => license },
      { title: 'Packages', cell: ({ packages }) => packages, isNumber: true },
    ],
    bill.licenses,
  )}`;
}

function retentionContent({ retention }: ComplianceReport): Html {
  const days = (value: number | undefined): string => (value === undefined ? 'kept' : counted(value, 'day'));
  return html`${facts(['Event history', countOf(retention.eventHistoryDays, 'day')], ['How known', retention.eventHistoryFrom])}${table(
    'Accounts with an event history of their own',
    [
      { title: 'Account', cell: ({ accountId }) => accountId },
      { title: 'Days', cell: (row) => row.days, isNumber: true },
    ],
    retention.ownEventHistory,
  )}${notListed(retention.moreOwnEventHistory, 'account')}${table(
    'Trails',
    [
      { title: 'Trail', cell: ({ name }) => name },
      { title: 'Account and region', cell: ({ accountId, homeRegion }) => `${accountId} ${homeRegion}` },
      { title: 'Logging', cell: ({ logging }) => (logging ? 'yes' : 'NO') },
      {
        title: 'Records of',
        cell: ({ multiRegion, organization }) =>
          `${multiRegion ? 'all regions' : 'its region'}${organization ? ' of the organization' : ''}`,
      },
      { title: 'Digests', cell: ({ fileValidation }) => (fileValidation ? 'yes' : 'NO') },
      { title: 'Bucket', cell: ({ bucket }) => bucket },
    ],
    retention.trails,
  )}${notListed(retention.moreTrails, 'trail')}${table(
    'Messages of Amazon Chime accounts',
    [
      { title: 'Chime account', cell: ({ name, chimeAccountId }) => `${name} (${chimeAccountId})` },
      { title: 'Account', cell: ({ accountId }) => accountId },
      { title: 'Type', cell: ({ type }) => type },
      { title: 'Rooms', cell: ({ roomDays }) => days(roomDays) },
      { title: 'Conversations', cell: ({ conversationDays }) => days(conversationDays) },
    ],
    retention.chimeAccounts.items,
  )}${moreNote(retention.chimeAccounts, 'Chime account')}`;
}

function responsibilityContent({ responsibility }: ComplianceReport): Html {
  return html`<p>Each control has one owner. The project is the code of Belfry, the operator runs the server and its host, and the account administrator has the permissions in an account.</p>
${responsibility.map(({ section, title, controls }) =>
  table(
    `Section ${section}: ${title}`,
    [
      { title: 'Statement', cell: ({ sentence }) => sentence },
      { title: 'Owner', cell: ({ owner }) => owner },
      {
        title: 'Source and test, or duty',
        cell: ({ source = '', test = '', duty }) => (duty === undefined ? html`<code>${source}</code>, <code>${test}</code>` : duty),
      },
    ],
    controls,
  ),
)}`;
}
