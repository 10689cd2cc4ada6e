/** Section of the page about the findings of IAM Access Analyzer. */
import type { ComplianceReport } from '../report/report.ts';
import { type Html, html, joined, moreNote, notListed, type PageSection, table } from './html.ts';

/** Maximum number of actions of a finding on the page. */
const ACTIONS_MAX = 12;

export function findingsSection({ findings: section }: ComplianceReport): PageSection {
  const { analyzers, moreAnalyzers, accountsWithoutAnalyzer, findings } = section;
  const without =
    accountsWithoutAnalyzer.total === 0
      ? html``
      : html`<p>Accounts that no analyzer of external access covers: ${joined(accountsWithoutAnalyzer.accountIds, accountsWithoutAnalyzer.more)}. External access is not found there.</p>\n`;
  const content: Html = html`${without}${table(
    'Analyzers',
    [
      { title: 'Analyzer', cell: ({ analyzer }) => analyzer },
      { title: 'Type', cell: ({ type }) => type },
      { title: 'Active', cell: ({ active }) => active, isNumber: true },
      { title: 'Archived', cell: ({ archived }) => archived, isNumber: true },
      { title: 'Resolved', cell: ({ resolved }) => resolved, isNumber: true },
    ],
    analyzers,
  )}${notListed(moreAnalyzers, 'analyzer')}${table(
    'Findings',
    [
      { title: 'Resource', cell: ({ resource, resourceType }) => `${resource} (${resourceType})` },
      {
        title: 'Finding',
        cell: ({ type, isPublic, status }) => `${type}${isPublic ? ', public' : ''}${status === 'ACTIVE' ? '' : ', archived'}`,
      },
      { title: 'Principal', cell: ({ principal = {} }) => joined(Object.entries(principal).map(([key, value]) => `${key} ${value}`)) },
      { title: 'Actions', cell: ({ actions }) => joined(actions.slice(0, ACTIONS_MAX), Math.max(0, actions.length - ACTIONS_MAX)) },
      { title: 'Conditions', cell: ({ conditions }) => joined(conditions) || 'none' },
      { title: 'Analyzer', cell: ({ analyzer }) => analyzer.slice(analyzer.lastIndexOf('/') + 1) },
      { title: 'Since', cell: ({ createdAt }) => createdAt },
    ],
    findings.items,
  )}<p class="note">The conditions are those whose values a caller cannot choose, such as aws:SourceIp. A policy can have others, such as sts:ExternalId.</p>
${moreNote(findings, 'finding')}`;
  return { id: 'findings', title: 'Findings of IAM Access Analyzer', content };
}
