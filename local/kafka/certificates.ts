import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { LOOPBACK } from '../process/ports.ts';

const newKeyPair = promisify(generateKeyPair);

const VALID_MILLIS = 365 * 86_400_000;

/** A certificate and its private key, in PEM. */
export interface Identity {
  certificate: string;
  key: string;
}

/** Signs for others. */
export class CertificateAuthority {
  readonly certificate: string;
  readonly #key: string;

  private constructor({ certificate, key }: Identity) {
    this.certificate = certificate;
    this.#key = key;
  }

  static async create(name: string): Promise<CertificateAuthority> {
    const [publicKey, key] = await keys();
    const extensions = [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ];
    return new CertificateAuthority({ certificate: sign({ name, publicKey, extensions }, name, key), key });
  }

  /** Someone of this name; as a server, at the loopback address. */
  async issue(name: string): Promise<Identity> {
    const [publicKey, key] = await keys();
    const extensions = [
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: [{ type: IP_ADDRESS, ip: LOOPBACK }] },
    ];
    const issuer = forge.pki.certificateFromPem(this.certificate).subject.getField('CN').value as string;
    return { certificate: sign({ name, publicKey, extensions }, issuer, this.#key), key };
  }
}

/** The type of a subject's alternative name that is an address (RFC 5280). */
const IP_ADDRESS = 7;

async function keys(): Promise<[publicKey: string, privateKey: string]> {
  // By Node, which is quicker at it, and writes the private one as Kafka reads it (PKCS #8).
  const { publicKey, privateKey } = await newKeyPair('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return [publicKey, privateKey];
}

interface Subject {
  name: string;
  publicKey: string;
  extensions: object[];
}

function sign({ name, publicKey, extensions }: Subject, issuer: string, issuerKey: string): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  // Positive, whatever is drawn.
  certificate.serialNumber = `00${randomBytes(16).toString('hex')}`;
  // Clocks of one machine agree, but a certificate counts from its full second.
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + VALID_MILLIS);
  certificate.setSubject([{ name: 'commonName', value: name }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  certificate.setExtensions(extensions);
  certificate.sign(forge.pki.privateKeyFromPem(issuerKey), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}
