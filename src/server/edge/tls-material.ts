/** Certificate chain and private key, in PEM. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
}
