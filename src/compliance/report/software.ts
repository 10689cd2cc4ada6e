/** The software of the server: versions, schema of the database, and the packages of the software bill of materials. */
import { fileURLToPath } from 'node:url';
import { VERSION } from '#server/version.ts';
import { migrationFiles } from '#store/migrate.ts';
import type { Sql } from '#store/sql.ts';
import { described, list, type Of, object, oneOf, optional, text, whole } from '../shape.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import { type LockedPackage, packagesOfServer } from './lock-file.ts';
import type { ReportFolder } from './report-folder.ts';

export const SOFTWARE = object({
  belfry: described(text, 'Version of the program that wrote this report.'),
  node: text,
  openssl: text,
  platform: text,
  databaseEngine: oneOf('SQLite', 'PostgreSQL'),
  databaseVersion: text,
  schemaVersion: described(whole, 'Number of migrations of the database.'),
  schemaVersionOfProgram: whole,
  updates: text,
  bill: object({
    file: described(optional(text), 'File in the format CycloneDX. Absent if it could not be written.'),
    problem: optional(text),
    packages: described(whole, 'Packages that the server uses, from package-lock.json.'),
    licenses: list(object({ license: text, packages: whole })),
    withoutIntegrity: described(list(text), 'Packages without a hash in package-lock.json.'),
    installed: described(whole, 'Installed packages of the server.'),
    different: described(list(text), 'Installed packages whose version or hash is not that of package-lock.json.'),
  }),
});
export type Software = Of<typeof SOFTWARE>;

const ROOT = new URL('../../../', import.meta.url);
/** Name of the bill in the report. */
const BILL = 'sbom.cdx.json';

/** Writes the bill of materials, and returns the section of the report. */
export async function softwareSection(sql: Sql, databaseEngine: Software['databaseEngine'], folder: ReportFolder): Promise<Software> {
  const version = await sql.row<{ readonly version: number }>('SELECT MAX(version) AS version FROM schema_version');
  return {
    belfry: VERSION,
    node: process.versions.node,
    openssl: process.versions.openssl,
    platform: `${process.platform} ${process.arch}`,
    databaseEngine,
    databaseVersion: await databaseVersion(sql, databaseEngine),
    schemaVersion: Number(version?.version ?? 0),
    schemaVersionOfProgram: migrationFiles().length,
    updates: 'Belfry neither searches for updates nor installs them. The operator compares this version with the published ones.',
    bill: writeBill(folder),
  };
}

/** Returns the version of the database. SQLite is part of this process. */
async function databaseVersion(sql: Sql, engine: Software['databaseEngine']): Promise<string> {
  if (engine === 'SQLite') return process.versions['sqlite'] ?? 'unknown';
  return (await sql.row<{ readonly server_version: string }>('SHOW server_version'))?.server_version ?? 'unknown';
}

function writeBill(folder: ReportFolder): Software['bill'] {
  const facts = packageFacts();
  const bill = billOfMaterials(fileURLToPath(ROOT));
  if ('problem' in bill) return { ...facts, problem: bill.problem };
  folder.write(BILL, bill.document);
  return { file: BILL, ...facts };
}

function packageFacts(): Omit<Software['bill'], 'file' | 'problem'> {
  const locked = packagesOfServer(fileURLToPath(new URL('package-lock.json', ROOT)));
  const installed = packagesOfServer(fileURLToPath(new URL('node_modules/.package-lock.json', ROOT)));
  const licenses = new Map<string, number>();
  for (const { license = 'unknown' } of locked.values()) licenses.set(license, (licenses.get(license) ?? 0) + 1);
  const isDifferent = (name: string, { version, integrity }: LockedPackage): boolean =>
    locked.get(name)?.version !== version || locked.get(name)?.integrity !== integrity;
  return {
    packages: locked.size,
    licenses: [...licenses].map(([license, packages]) => ({ license, packages })).sort((a, b) => b.packages - a.packages),
    withoutIntegrity: [...locked].filter(([, { integrity }]) => integrity === undefined).map(([name]) => name),
    installed: installed.size,
    different: [...installed].filter(([name, found]) => isDifferent(name, found)).map(([name]) => name),
  };
}
