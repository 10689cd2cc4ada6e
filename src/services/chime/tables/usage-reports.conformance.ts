import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ALICE, type Suite } from '#store/conformance-fixtures.ts';
import { type AccountRecord, accounts } from './accounts.ts';
import { usageReports } from './usage-reports.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('chime usage reports', () => {
    test('usage reports: an account is due until its week is stored, unless it is disabled or younger than the week', async () => {
      const here = fresh();
      const account = (id: string, createdAt: number, more: Partial<AccountRecord> = {}): AccountRecord => ({
        ...{ accountId: ALICE, chimeAccountId: `${here} ${id}`, name: id, accountType: 'Team', createdAt: instant(createdAt) },
        document: { DefaultLicense: 'Pro', SupportedLicenses: ['Basic', 'Pro'] },
        ...more,
      });
      const read = await within(async (tx) => {
        for (const each of [account('a', 1), account('b', 2), account('c', 1, { disabledAt: instant(1) }), account('d', 3)])
          await tx.of(accounts).add(each);
        const reports = tx.of(usageReports);
        const due = async (week: number, before: number) => {
          const found: string[] = [];
          let after = `${here} `;
          for (;;) {
            const next = await reports.due(week, instant(before), after);
            if (next === undefined || !next.chimeAccountId.startsWith(here)) return found.join(' ');
            after = next.chimeAccountId;
            found.push(next.name);
          }
        };
        const steps = [await due(10, 3)];
        const stored = [await reports.setWritten(`${here} a`, 10), await reports.setWritten(`${here} a`, 10)];
        steps.push(await due(10, 3), await due(17, 4));
        stored.push(await reports.setWritten(`${here} a`, 17), await reports.setWritten(`${here} a`, 10));
        steps.push(await due(17, 4));
        await reports.remove(`${here} a`);
        steps.push(await due(17, 4));
        return { steps, stored };
      });
      assert.deepEqual(read, { steps: ['a b', 'b', 'a b d', 'b d', 'a b d'], stored: [true, false, true, false] });
    });
  });
}
