import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

const SELF = ["'self'"];
const NONE = ["'none'"];

/** No inline script or style, nothing from other origins, in no frame. */
const secure = helmet({
  contentSecurityPolicy: {
    // Helmet's defaults allow inline styles, and upgrade requests to HTTPS, which plain HTTP does not answer.
    useDefaults: false,
    directives: {
      defaultSrc: NONE,
      scriptSrc: SELF,
      styleSrc: SELF,
      imgSrc: SELF,
      connectSrc: SELF,
      baseUri: NONE,
      // The search is a form.
      formAction: SELF,
      frameAncestors: NONE,
    },
  },
  xFrameOptions: { action: 'deny' },
  // The proxy that terminates TLS decides whether the host is HTTPS only; it is not known here.
  strictTransportSecurity: false,
});

/** Headers of every response, including those to malformed HTTP. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = createHeaders();

function createHeaders(): Record<string, string> {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  secure(request, response, () => {});
  return Object.fromEntries(
    Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]),
  );
}
