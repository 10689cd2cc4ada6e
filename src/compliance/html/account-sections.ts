/** Sections of the page about accounts: access, activity, credentials and rules. */
import { counted } from '#core/counted.ts';
import type { BriefPrincipal } from '../report/access.ts';
import type { CredentialsOf } from '../report/credentials.ts';
import type { ComplianceReport } from '../report/report.ts';
import type { ShownPolicy } from '../report/rules.ts';
import { findingsSection } from './findings-section.ts';
import { bullets, countOf, facts, type Html, html, isOrAre, joined, moreNote, type PageSection, preformatted, table } from './html.ts';

/** Returns the sections in their order. */
export function accountSections(report: ComplianceReport): readonly PageSection[] {
  return [
    { id: 'accounts', title: 'Accounts', content: accountsTable(report) },
    { id: 'access', title: 'Who may do what', content: accessContent(report) },
    { id: 'activity', title: 'Who did what', content: activityContent(report) },
    { id: 'credentials', title: 'Age of credentials', content: credentialsContent(report) },
    { id: 'rules', title: 'Configuration rules', content: rulesContent(report) },
    findingsSection(report),
  ];
}

function accountsTable({ accounts }: ComplianceReport): Html {
  return table(
    'Accounts of this report',
    [
      { title: 'Account', cell: ({ accountId }) => accountId },
      { title: 'Name', cell: ({ name }) => name },
    ],
    accounts,
  );
}

function accessContent({ access }: ComplianceReport): Html {
  const { meaning, principals, policiesFile } = access;
  return html`<p>${meaning}</p>\n${table<BriefPrincipal>(
    'Principals with the most actions',
    [
      { title: 'Principal', cell: principalCell },
      { title: 'Policies', cell: ({ policies, morePolicies }) => joined(policies, morePolicies) || 'none' },
      {
        title: 'Actions by service, and the statements that allow them',
        cell: ({ services }) => (services.length === 0 ? 'none' : bullets(services.map(serviceLine))),
      },
    ],
    principals.items,
  )}${moreNote(principals, 'principal')}<p class="note">All statements are in the file <code>${policiesFile}</code>.</p>\n`;
}

function principalCell({ arn, type, linkedService, groups, trusts, boundary, serviceControl, problem }: BriefPrincipal): Html {
  const lines = [
    type === 'Role'
      ? `role${linkedService === undefined ? '' : ` of the service ${linkedService}`}`
      : type === 'IAMUser'
        ? 'user'
        : 'root user',
    ...(groups.length === 0 ? [] : [`groups: ${joined(groups)}`]),
    ...(trusts === undefined ? [] : [`trusts: ${joined(trusts.slice(0, 12), Math.max(0, trusts.length - 12)) || 'no principal'}`]),
    ...(boundary === undefined ? [] : [`permissions boundary: ${joined(boundary)}`]),
    ...(serviceControl === undefined ? [] : [`service control policies: ${joined([...new Set(serviceControl.flat())])}`]),
    ...(problem === undefined ? [] : [`every request is denied: ${problem}`]),
  ];
  return html`<b>${arn}</b>${lines.map((line) => html`<br>${line}`)}`;
}

function serviceLine({ service, actions, of, by, moreBy, names, moreNames, except }: BriefPrincipal['services'][number]): Html {
  const which =
    actions === of
      ? html`all ${of} actions`
      : html`${actions} of ${of} actions (${except === undefined ? joined(names, moreNames) : html`all except ${joined(except)}`})`;
  return html`<b>${service}</b>: ${which}${by.length === 0 ? '' : html`, by ${joined(by, moreBy)}`}`;
}

const COUNT_COLUMNS = [
  { title: 'Requests', cell: ({ requests }: Counts) => requests, isNumber: true },
  { title: 'Failed', cell: ({ errors }: Counts) => errors, isNumber: true },
  { title: 'Denied', cell: ({ denied }: Counts) => denied, isNumber: true },
] as const;
interface Counts {
  readonly requests: number;
  readonly errors: number;
  readonly denied: number;
}

function activityContent({ activity }: ComplianceReport): Html {
  const { services, principals, denials, unreadable } = activity;
  const nameOf = ({ principal, type }: { readonly principal: string; readonly type: string }): string =>
    principal === '' ? type || 'principals beyond the limit of the report' : type === 'Unknown' ? principal : `${principal} (${type})`;
  return html`<p>Requests from ${activity.from} to ${activity.to}. Sessions count for their role or user.</p>
${unreadable === 0 ? '' : html`<p class="bad">${countOf(unreadable, 'record')} cannot be read.</p>\n`}${table(
  'Requests by service',
  [{ title: 'Service', cell: ({ service }) => service }, ...COUNT_COLUMNS],
  services,
)}${table(
  'Principals with the most requests',
  [
    { title: 'Principal', cell: nameOf },
    { title: 'Account', cell: ({ accountId }) => accountId },
    { title: 'Different actions', cell: ({ actions }) => actions, isNumber: true },
    ...COUNT_COLUMNS,
    { title: 'Last', cell: ({ last }) => last },
  ],
  principals.items,
)}${moreNote(principals, 'principal')}${table(
  'Denied requests',
  [
    { title: 'Principal', cell: nameOf },
    { title: 'Service', cell: ({ service }) => service },
    { title: 'Action', cell: ({ action }) => action },
    ...COUNT_COLUMNS,
    { title: 'Last', cell: ({ last }) => last },
  ],
  denials.items,
)}${moreNote(denials, 'denied action')}`;
}

function credentialsContent({ credentials }: ComplianceReport): Html {
  const { oldest, ...counts } = credentials;
  return html`${facts(
    ['Users and root users', counts.users],
    ['Users with a password', counts.withPassword],
    ['Of these, without MFA', counts.withPasswordWithoutMfa],
    ['Active access keys', counts.activeKeys],
    ['Of these, older than 90 days', counts.activeKeysOlderThan90Days],
    ['Of these, never used', counts.activeKeysNeverUsed],
  )}${table<CredentialsOf>(
    'Users with the oldest credentials',
    [
      { title: 'User', cell: ({ arn }) => arn },
      { title: 'Password', cell: passwordCell },
      { title: 'MFA', cell: ({ mfaActive }) => (mfaActive ? 'yes' : 'no') },
      { title: 'Access keys', cell: ({ accessKeys }) => (accessKeys.length === 0 ? 'none' : bullets(accessKeys.map(keyLine))) },
    ],
    oldest.items,
  )}${moreNote(oldest, 'user')}`;
}

function passwordCell({ password }: CredentialsOf): string {
  if (password === undefined) return 'none';
  const { ageDays, lastUsedAt, nextRotationAt } = password;
  return `${counted(ageDays, 'day')} old, ${lastUsedAt === undefined ? 'never used' : `last used ${lastUsedAt}`}${nextRotationAt === undefined ? '' : `, expires ${nextRotationAt}`}`;
}

function keyLine({ accessKeyId, active, ageDays, lastUsedAt, lastUsedService }: CredentialsOf['accessKeys'][number]): string {
  const use = lastUsedAt === undefined ? 'never used' : `last used ${lastUsedAt} for ${lastUsedService}`;
  return `${accessKeyId}, ${active ? 'active' : 'inactive'}, ${counted(ageDays, 'day')} old, ${use}`;
}

const COMPLIANCE = { COMPLIANT: 'compliant', NON_COMPLIANT: 'NOT compliant', NOT_APPLICABLE: 'not applicable' } as const;

function rulesContent({ rules }: ComplianceReport): Html {
  return html`<p>A rule is not applicable if the account has no resource that it is about. The rules read the resources of the region ${rules.region}.</p>
${table(
  'Rules',
  [
    { title: 'Rule', cell: ({ rule }) => rule },
    { title: 'Account', cell: ({ accountId }) => accountId },
    {
      title: 'Statement',
      cell: ({ description, parameters }) => `${description}${parameters.length === 0 ? '' : ` (${joined(parameters)})`}`,
    },
    { title: 'Result', cell: ({ compliance }) => COMPLIANCE[compliance] },
    {
      title: 'Resources that are not compliant',
      cell: ({ nonCompliant, annotations }) =>
        nonCompliant === 0
          ? 'none'
          : html`${nonCompliant}${bullets(annotations)}${nonCompliant > annotations.length ? html`and ${nonCompliant - annotations.length} more` : ''}`,
    },
  ],
  [...rules.rules].sort((a, b) =>
    a.compliance === b.compliance ? 0 : a.compliance === 'NON_COMPLIANT' ? -1 : b.compliance === 'NON_COMPLIANT' ? 1 : 0,
  ),
)}<p class="note">${rules.moreRules === 0 ? '' : html`${countOf(rules.moreRules, 'more rule')} ${isOrAre(rules.moreRules)} not listed. `}All results, with the calls that show each fact, are in the file <code>${rules.file}</code>.</p>
${policiesContent(rules)}`;
}

function policiesContent({ policies }: ComplianceReport['rules']): Html {
  return html`${table<ShownPolicy>(
    'Policies of resources that are not compliant',
    [
      { title: 'Resource, rule and evidence', cell: shownCell },
      {
        title: 'Policy',
        cell: ({ document }) => (document === undefined ? 'too long for this page' : preformatted(JSON.stringify(document, null, 2))),
      },
    ],
    policies.items,
  )}${moreNote(policies, 'policy document')}`;
}

/** Returns the resource, the rule that it violates, and the call that returns the policy. */
function shownCell({ accountId, rule, resourceType, resourceId, action, input, member }: ShownPolicy): Html {
  const members = Object.entries(input).map(([name, value]) => `${name} ${value}`);
  return html`<b>${resourceType} ${resourceId}</b><br>${rule}, account ${accountId}<br>${action} (${joined(members)}): ${member}`;
}
