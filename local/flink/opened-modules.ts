/** What Flink's own scripts open to it of the JDK (env.java.opts.all). */
export const OPENED_MODULES = [
  '--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED',
  '--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED',
  ...[
    'java.io',
    'java.lang',
    'java.lang.reflect',
    'java.net',
    'java.nio',
    'java.text',
    'java.time',
    'java.util',
    'java.util.concurrent',
    'java.util.concurrent.atomic',
    'java.util.concurrent.locks',
    'sun.nio.ch',
  ].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
  '--add-exports=java.base/sun.net.util=ALL-UNNAMED',
];
