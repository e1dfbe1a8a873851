import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.StringJoiner;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * Prints every option that the jars on the class path declare: a line of its key, its other names, and a last word that says
 * whether keys below these (a.b for a) are read too.
 */
class ConfigOptions {
    private static final String OPTION = "org.apache.flink.configuration.ConfigOption";

    public static void main(String[] arguments) throws Exception {
        for (String path : System.getProperty("java.class.path").split(":")) {
            try (JarFile jar = new JarFile(path)) {
                for (JarEntry entry : Collections.list(jar.entries())) {
                    if (declaresOption(jar, entry)) print(entry.getName().replaceAll("\\.class$", "").replace('/', '.'));
                }
            }
        }
    }

    /** The constant pool names the types of fields: most classes need not be loaded, and many cannot. */
    private static boolean declaresOption(JarFile jar, JarEntry entry) throws Exception {
        if (!entry.getName().matches("org/apache/flink/.*\\.class")) return false;
        String pool = new String(jar.getInputStream(entry).readAllBytes(), StandardCharsets.ISO_8859_1);
        return pool.contains("L" + OPTION.replace('.', '/') + ";");
    }

    private static void print(String name) throws Exception {
        Field[] fields;
        try {
            fields = Class.forName(name, false, ConfigOptions.class.getClassLoader()).getDeclaredFields();
        } catch (NoClassDefFoundError withoutDependency) {
            System.err.println(name + ": " + withoutDependency);
            return;
        }
        for (Field field : fields) {
            if (!Modifier.isStatic(field.getModifiers()) || !field.getType().getName().equals(OPTION)) continue;
            field.setAccessible(true);
            System.out.println(line(field.get(null)));
        }
    }

    private static String line(Object option) throws Exception {
        StringJoiner words = new StringJoiner(" ");
        words.add((String) option.getClass().getMethod("key").invoke(option));
        for (Object other : (Iterable<?>) option.getClass().getMethod("fallbackKeys").invoke(option)) {
            words.add((String) other.getClass().getMethod("getKey").invoke(other));
        }
        Method canBePrefixMap =
                Class.forName("org.apache.flink.configuration.ConfigurationUtils")
                        .getDeclaredMethod("canBePrefixMap", option.getClass());
        canBePrefixMap.setAccessible(true);
        return words.add(canBePrefixMap.invoke(null, option).toString()).toString();
    }
}
