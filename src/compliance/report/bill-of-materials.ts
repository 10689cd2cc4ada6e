/**
 * Software bill of materials in the format CycloneDX, from package-lock.json. `npm sbom` writes it without the network. Requirement COMP-7.
 *
 * Source: CycloneDX 1.5; npm documentation, npm-sbom.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packagesOfServer } from './lock-file.ts';

/** `npm sbom --omit=dev` also omits packages of the server that development packages use, so all are listed and then selected. */
const ARGUMENTS = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--offline', '--no-update-notifier'] as const;
/** Longest time that npm may take. It takes about one second. */
const TIMEOUT_MS = 60_000;
const OUTPUT_MAX_BYTES = 2 ** 26;

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

interface Bill {
  readonly metadata: { readonly component: Component; readonly timestamp?: string };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  readonly serialNumber?: string;
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
  if (error !== undefined || status !== 0)
    return { problem: `npm could not write the bill of materials: ${error?.message ?? `exit status ${status}`}` };
  const { serialNumber: _, metadata, components, dependencies, ...rest } = JSON.parse(stdout) as Bill;
  const { timestamp: __, component, ...facts } = metadata;
  const own = new Set([...packagesOfServer(join(folder, 'package-lock.json')).values()].map(({ name, version }) => `${name}@${version}`));
  const kept = components.filter(({ name, version }) => own.has(`${name}@${version}`)).map(ofServer);
  const refs = new Set(kept.map((each) => each['bom-ref']));
  const bill = {
    ...rest,
    // npm uses the name of the folder.
    metadata: { ...facts, component: { ...component, type: 'application', name: 'belfry' } },
    components: kept,
    dependencies: dependencies
      .filter(({ ref }) => refs.has(ref) || ref === component['bom-ref'])
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => refs.has(each)) })),
  };
  return { document: `${JSON.stringify(bill, null, 2)}\n` };
}

/** Removes the mark of development packages, which a package has that both the server and its development use. */
function ofServer({ properties = [], ...component }: Component): Component {
  return { ...component, properties: properties.filter(({ name }) => name !== 'cdx:npm:package:development') };
}
