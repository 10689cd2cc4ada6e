/** The report as one HTML page without scripts, which can be printed. */
import { counted } from '#core/counted.ts';
import type { ComplianceReport } from '../report/report.ts';
import { accountSections } from './account-sections.ts';
import { bullets, countOf, facts, type Html, html, type PageSection } from './html.ts';
import { REPORT_POLICY, REPORT_STYLE } from './report-style.ts';
import { serverSections } from './server-sections.ts';

/** Returns the page of a report. */
export function reportPage(report: ComplianceReport): string {
  const sections: readonly PageSection[] = [
    ...accountSections(report),
    ...serverSections(report),
    {
      id: 'not-assessed',
      title: 'Not assessed',
      content: html`<p>${report.statement} It does not assess:</p>\n${bullets(report.notAssessed)}`,
    },
  ];
  const page = html`<header>
<h1>Belfry compliance report</h1>
<p>${report.generatedAt}. ${report.statement}</p>
</header>
<nav aria-label="Sections">${bullets(sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`))}</nav>
<section class="summary" aria-labelledby="summary">\n<h2 id="summary">Summary</h2>\n${summary(report)}</section>
${sections.map(({ id, title, content }) => html`<section aria-labelledby="${id}">\n<h2 id="${id}">${title}</h2>\n${content}</section>\n`)}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="${REPORT_POLICY}">
<title>Belfry compliance report</title>
${REPORT_STYLE}</head><body><main>
${page.html}</main></body></html>
`;
}

function summary({
  accounts,
  days,
  access,
  activity,
  credentials,
  rules,
  findings,
  trail,
  tls,
  software,
  notAssessed,
}: ComplianceReport): Html {
  const [certificate] = tls.certificates;
  const filesIntact = trail.deliveredFiles?.intact;
  const broken = [...(trail.intact ? [] : ['The trail is']), ...(filesIntact === false ? ['The delivered files are'] : [])];
  return html`${broken.map((subject) => html`<p class="bad">${subject} not intact. See the section Integrity of the trail.</p>\n`)}${facts(
    ['Accounts', accounts.length === 1 ? `${accounts[0]?.accountId} (${accounts[0]?.name})` : accounts.length],
    ['Window', `${counted(days, 'day')}, from ${activity.from} to ${activity.to}`],
    [
      'Users and roles',
      html`${countOf(access.users, 'user')} and ${countOf(access.roles, 'role')}, of which ${access.administrators} may perform every action`,
    ],
    ['Requests', html`${activity.requests}, of which ${activity.errors} failed and ${activity.denied} were denied by a policy`],
    ['Passwords without MFA', html`${credentials.withPasswordWithoutMfa} of ${credentials.withPassword}`],
    ['Active access keys', html`${credentials.activeKeys}, of which ${credentials.activeKeysOlderThan90Days} are older than 90 days`],
    [
      'Configuration rules',
      html`${rules.nonCompliant} not compliant, ${rules.compliant} compliant, ${rules.notApplicable} not applicable${accounts.length === 1 ? '' : ', counted for each account'}`,
    ],
    [
      'Findings of analyzers',
      html`${findings.active} active, ${findings.archived} archived; accounts that no analyzer of external access covers: ${findings.accountsWithoutAnalyzer.total}`,
    ],
    [
      'Trail',
      `${trail.intact ? 'intact' : 'NOT intact'}: ${counted(trail.records, 'record')} ${trail.records === 1 ? 'was' : 'were'} checked`,
    ],
    ['Delivered files', filesIntact === undefined ? 'not verified' : filesIntact ? 'intact' : 'NOT intact'],
    ['Certificate', certificate === undefined ? 'unknown' : `valid until ${certificate.validTo}`],
    ['Software', `Belfry ${software.belfry}, Node.js ${software.node}, ${software.databaseEngine} ${software.databaseVersion}`],
    ['Not assessed', html`<a href="#not-assessed">${countOf(notAssessed.length, 'subject')}</a>`],
  )}`;
}
