/**
 * Software bill of materials in the format CycloneDX, from package-lock.json. `npm sbom` writes it without the network. Requirement COMP-7.
 *
 * Source: CycloneDX 1.5; npm documentation, npm-sbom.
 */
import { spawnSync } from 'node:child_process';

const ARGUMENTS = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--omit=dev', '--offline', '--no-update-notifier'] as const;
/** Longest time that npm may take. It takes about one second. */
const TIMEOUT_MS = 60_000;
const OUTPUT_MAX_BYTES = 2 ** 26;

interface Bill {
  readonly metadata: { readonly component: Readonly<Record<string, unknown>> } & Readonly<Record<string, unknown>>;
  readonly [member: string]: unknown;
}

/**
 * Returns the bill of the packages that the server uses: name, version, license and SHA-512 of each. The same package-lock.json has the same
 * bill, so members that differ in each run are absent: the serial number and the time.
 *
 * @param folder  folder with package.json and package-lock.json
 */
export function billOfMaterials(folder: string): { readonly document: string } | { readonly problem: string } {
  // npm needs the environment only to find its files. Settings of the server can contain secrets.
  const { PATH = '', HOME = '' } = process.env;
  const options = { cwd: folder, env: { PATH, HOME }, encoding: 'utf8', timeout: TIMEOUT_MS, maxBuffer: OUTPUT_MAX_BYTES } as const;
  const { status, stdout, error } = spawnSync('npm', ARGUMENTS, options);
  if (error !== undefined || status !== 0) return { problem: `npm could not write the bill of materials: ${error?.message ?? `exit status ${status}`}` };
  const { serialNumber: _, metadata, ...rest } = JSON.parse(stdout) as Bill;
  const { timestamp: __, component, ...facts } = metadata;
  // npm uses the name of the folder.
  const { name, ...own } = component;
  const bill = { ...rest, metadata: { ...facts, component: { ...own, type: 'application', name: 'belfry' } } };
  return name === undefined ? { problem: 'npm wrote no component' } : { document: `${JSON.stringify(bill, null, 2)}\n` };
}
