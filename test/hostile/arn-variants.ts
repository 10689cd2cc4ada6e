/** Strings that look like an ARN, or that a lenient parser would accept in its place. */

/** Function that returns a string similar to an ARN, but never the ARN itself. */
export type Variant = (arn: string) => string;

interface Parts {
  scheme: string;
  partition: string;
  service: string;
  region: string;
  account: string;
  resource: string;
}

/** Returns a variant that changes some of the six colon-separated parts of the ARN. */
const changed =
  (change: (parts: Parts) => Partial<Parts>): Variant =>
  (arn) => {
    const [scheme = '', partition = '', service = '', region = '', account = '', ...rest] = arn.split(':');
    const parts = { scheme, partition, service, region, account, resource: rest.join(':') };
    const { resource, ...head } = { ...parts, ...change(parts) };
    return [...Object.values(head), resource].join(':');
  };

const swapCase = (text: string) => text.replace(/[a-z]/gi, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()));
const afterSlash = (resource: string, change: (name: string) => string) => {
  const slash = resource.lastIndexOf('/');
  return resource.slice(0, slash + 1) + change(resource.slice(slash + 1));
};

// biome-ignore format: a table
export const VARIANTS: readonly (readonly [title: string, variant: Variant])[] = [
  ['scheme in upper case',           changed(() => ({ scheme: 'ARN' }))],
  ['partition in upper case',        changed(() => ({ partition: 'AWS' }))],
  ['partition aws-cn',               changed(() => ({ partition: 'aws-cn' }))],
  ['empty partition',                changed(() => ({ partition: '' }))],
  ['service in upper case',          changed(({ service }) => ({ service: service.toUpperCase() }))],
  ['other service',                  changed(() => ({ service: 's3' }))],
  ['region added or in upper case',  changed(({ region }) => ({ region: region === '' ? 'us-east-1' : region.toUpperCase() }))],
  ['region changed or removed',      changed(({ region }) => ({ region: region === '' ? '*' : '' }))],
  ['empty account',                  changed(() => ({ account: '' }))],
  ['any account',                    changed(() => ({ account: '*' }))],
  ['account of AWS',                 changed(() => ({ account: 'aws' }))],
  ['other account',                  changed(() => ({ account: '444455556666' }))],
  ['blank before the account',       changed(({ account }) => ({ account: ` ${account}` }))],
  ['type in upper case',             changed(({ resource }) => ({ resource: resource.replace(/^[^/]*/, (type) => type.toUpperCase()) }))],
  ['name in the other case',         changed(({ resource }) => ({ resource: afterSlash(resource, swapCase) }))],
  ['name with a wildcard',           changed(({ resource }) => ({ resource: afterSlash(resource, (name) => `${name.slice(0, -1)}*`) }))],
  ['two slashes',                    changed(({ resource }) => ({ resource: resource.replace('/', '//') }))],
  ['a dot segment',                  changed(({ resource }) => ({ resource: resource.replace('/', '/./') }))],
  ['colon at the end',               (arn) => `${arn}:`],
  ['slash at the end',               (arn) => `${arn}/`],
  ['blank at the end',               (arn) => `${arn} `],
  ['blank in front',                 (arn) => ` ${arn}`],
  ['no-break space at the end',      (arn) => `${arn}\u00a0`],
  ['percent-encoded slash',          (arn) => arn.replace('/', '%2F')],
  ['percent-encoded twice',          (arn) => encodeURIComponent(encodeURIComponent(arn))],
  ['letter that looks alike',        changed(({ resource }) => ({ resource: resource.replace(/.$/, '\u0261') }))],
  ['two prefixes',                   (arn) => `arn:${arn}`],
  ['one ARN in another',             changed(({ resource }) => ({ resource: `${resource.split('/')[0]}/arn:aws:${resource}` }))],
  ['over-long',                      (arn) => arn + 'x'.repeat(2_100)],
  ['a NUL at the end',               (arn) => `${arn}\0`],
  ['a line feed at the end',         (arn) => `${arn}\n`],
];
