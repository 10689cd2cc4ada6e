import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { newFolder } from '../../../test/kit/folder.ts';
import { findingsSection as findingsContent } from '../html/findings-section.ts';
import { findingsSection, WITHOUT_ANALYZER_MAX } from './findings.ts';
import type { ComplianceReport } from './report.ts';
import { createReportFolder } from './report-folder.ts';

test('findings: only the first accounts without an analyzer are listed, with the number of the others', async () => {
  const accountIds = Array.from({ length: WITHOUT_ANALYZER_MAX + 1 }, (_, i) => String(i).padStart(12, '1') as AccountId);
  const store = await openSqlite(':memory:');
  const folder = createReportFolder(join(newFolder('findings'), 'report'));
  const findings = await store.transaction((tx) => findingsSection(tx.sql, accountIds, folder));
  await store.close();
  const listed = accountIds.slice(0, WITHOUT_ANALYZER_MAX);
  assert.deepEqual(findings.accountsWithoutAnalyzer, { total: accountIds.length, accountIds: listed, more: 1 });
  const page = findingsContent({ findings } as ComplianceReport).content.html;
  assert.ok(page.includes(`covers: ${listed.join(', ')} and 1 more. External access`), page);
});
