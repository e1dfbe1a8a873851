import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/** Prints Flink's plan of a script's statement set without running it: {@code java -cp 'flink/lib/*' Explain.java SCRIPT}. */
public class Explain {
  private static final Pattern SET = Pattern.compile("SET '(.*)' = '(.*)'");
  private static final String STATEMENT_SET = "EXECUTE STATEMENT SET";

  public static void main(String[] arguments) throws Exception {
    String script = Files.readString(Path.of(arguments[0])).replaceAll("(?m)^\\s*--.*$", "");
    int start = script.indexOf(STATEMENT_SET);
    TableEnvironment environment = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
    for (String statement : script.substring(0, start).split(";\\s*\n")) {
      run(environment, statement.strip());
    }
    String explain = script.substring(start).strip().replaceFirst("EXECUTE", "EXPLAIN CHANGELOG_MODE").replaceFirst(";$", "");
    System.out.println(environment.executeSql(explain).collect().next().getField(0));
  }

  private static void run(TableEnvironment environment, String statement) {
    Matcher set = SET.matcher(statement);
    if (set.matches()) {
      environment.getConfig().set(set.group(1), set.group(2));
    } else if (!statement.isEmpty()) {
      environment.executeSql(statement);
    }
  }
}
