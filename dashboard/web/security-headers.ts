import type { FastifyHelmetOptions } from '@fastify/helmet';

const SELF = ["'self'"];
const NONE = ["'none'"];

/** What browsers are told: no inline script or style, nothing from elsewhere, in nobody's frame. */
export const SECURITY_HEADERS: FastifyHelmetOptions = {
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
  // Whoever ends TLS in front says whether the host is to be asked by HTTPS alone; here it is not known.
  strictTransportSecurity: false,
};
