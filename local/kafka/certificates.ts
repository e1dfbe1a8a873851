import 'reflect-metadata'; // For the package below, which expects it.
import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { LOOPBACK } from '../process/ports.ts';

const newKeyPair = promisify(generateKeyPair);

const VALID_MILLIS = 365 * 86_400_000;

const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

/** A certificate and its private key (PKCS #8, as Kafka reads it), in PEM. */
export interface Identity {
  certificate: string;
  key: string;
}

/** Signs for others. */
export class CertificateAuthority {
  readonly certificate: string;
  readonly #issuer: Issuer;

  private constructor(certificate: string, issuer: Issuer) {
    this.certificate = certificate;
    this.#issuer = issuer;
  }

  static async create(name: string): Promise<CertificateAuthority> {
    const { publicKey, privateKey } = await newKeys();
    const issuer = { name, key: privateKey };
    const extensions = [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    ];
    return new CertificateAuthority(await sign({ name, publicKey, extensions }, issuer), issuer);
  }

  /** Someone of this name; as a server, at the loopback address. */
  async issue(name: string): Promise<Identity> {
    const { publicKey, privateKey } = await newKeys();
    const extensions = [
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension([{ type: 'ip', value: LOOPBACK }]),
    ];
    const certificate = await sign({ name, publicKey, extensions }, this.#issuer);
    return { certificate, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
  }
}

function newKeys(): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return newKeyPair('rsa', { modulusLength: 2048 });
}

interface Subject {
  name: string;
  publicKey: KeyObject;
  extensions: Extension[];
}

interface Issuer {
  name: string;
  key: KeyObject;
}

async function sign({ name, publicKey, extensions }: Subject, issuer: Issuer): Promise<string> {
  const certificate = await X509CertificateGenerator.create({
    // Positive, whatever is drawn.
    serialNumber: `00${randomBytes(16).toString('hex')}`,
    subject: [{ CN: [name] }],
    issuer: [{ CN: [issuer.name] }],
    // Clocks of one machine agree, but a certificate counts from its full second.
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + VALID_MILLIS),
    publicKey: publicKey.toCryptoKey(ALGORITHM, true, ['verify']),
    signingKey: issuer.key.toCryptoKey(ALGORITHM, false, ['sign']),
    signingAlgorithm: ALGORITHM,
    extensions,
  });
  return certificate.toString('pem');
}
