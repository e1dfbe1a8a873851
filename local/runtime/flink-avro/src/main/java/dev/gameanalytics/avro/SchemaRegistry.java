package dev.gameanalytics.avro;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParseException;

/** A client of Confluent's API for schema registries, as far as reading records needs it. */
class SchemaRegistry {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int TRIES = 4;
    private static final long PAUSE_MILLIS = 1_000;
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Answers about the one who asks, or the moment, and not about a schema. */
    private static final Set<Integer> NOT_ABOUT_A_SCHEMA = Set.of(401, 403, 407, 408, 425, 429);

    private final String url;
    private final HttpClient client;
    private final String authorization;

    /**
     * @param secretFolder has username and password where the registry asks for them, and ca.crt where its certificate
     *     is not signed by an authority that Java knows; null: neither
     */
    SchemaRegistry(String url, String secretFolder) throws IOException {
        this.url = url.replaceAll("/+$", "");
        Path username = secretFolder == null ? null : Path.of(secretFolder, "username");
        Path ca = secretFolder == null ? null : Path.of(secretFolder, "ca.crt");
        authorization = username != null && Files.exists(username)
                ? basic(readLine(username), readLine(username.resolveSibling("password")))
                : null;
        // Redirections are not followed: they could take the password to another host.
        HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(TIMEOUT);
        client = (ca != null && Files.exists(ca) ? builder.sslContext(trusting(ca)) : builder).build();
    }

    private static String readLine(Path file) throws IOException {
        return Files.readString(file).replaceAll("[\r\n]+$", "");
    }

    private static String basic(String username, String password) {
        byte[] pair = (username + ":" + password).getBytes(StandardCharsets.UTF_8);
        return "Basic " + Base64.getEncoder().encodeToString(pair);
    }

    private static SSLContext trusting(Path ca) throws IOException {
        try (InputStream pem = Files.newInputStream(ca)) {
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(pem))
                trusted.setCertificateEntry(String.valueOf(trusted.size()), certificate);
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException("ca.crt of the schema registry has no certificates: " + e.getMessage(), e);
        }
    }

    /**
     * The schema of an id; null when the registry does not have it.
     *
     * @throws IOException when the registry does not answer, or does not let us in
     * @throws SchemaParseException when it is no Avro schema
     */
    Schema fetchSchema(int id) throws IOException {
        JsonNode found = id < 0 ? null : get("/schemas/ids/" + id);
        return found == null ? null : parse(found, new Schema.Parser().setValidateDefaults(false), new HashSet<>());
    }

    /** The parser remembers the types of what a schema refers to, which are parsed before it. */
    private Schema parse(JsonNode found, Schema.Parser parser, Set<String> parsed) throws IOException {
        if (!found.path("schemaType").asText("AVRO").equals("AVRO")) throw new SchemaParseException("not Avro");
        for (JsonNode reference : found.path("references")) {
            String subject = URLEncoder.encode(reference.path("subject").asText(), StandardCharsets.UTF_8);
            String path = "/subjects/" + subject.replace("+", "%20") + "/versions/" + reference.path("version").asInt();
            if (!parsed.add(path)) continue;
            JsonNode referenced = get(path);
            if (referenced == null) throw new SchemaParseException("a schema that it refers to is not there");
            parse(referenced, parser, parsed);
        }
        return parser.parse(found.path("schema").asText());
    }

    /** The answer of the registry; null when it says that there is no such thing. */
    private JsonNode get(String path) throws IOException {
        for (int tries = 1; ; tries++) {
            String failure;
            try {
                HttpResponse<String> response = client.send(request(path), HttpResponse.BodyHandlers.ofString());
                int status = response.statusCode();
                JsonNode answer = readJson(response.body());
                if (status == 200 && answer.has("schema")) return answer;
                // Only the API itself has error codes: another 404 is of a wrong address, under which nothing is found.
                boolean isRefusal = status >= 400 && status < 500 && !NOT_ABOUT_A_SCHEMA.contains(status);
                if (isRefusal && answer.has("error_code")) return null;
                failure = "HTTP " + status + (answer.has("message") ? ", " + answer.path("message").asText() : "");
            } catch (IOException e) {
                failure = e.toString();
            } catch (InterruptedException e) {
                throw interrupted();
            }
            if (tries == TRIES) throw new IOException("The schema registry does not answer " + url + path + ": " + failure);
            pause();
        }
    }

    private HttpRequest request(String path) {
        HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(url + path))
                .timeout(TIMEOUT)
                .header("Accept", "application/vnd.schemaregistry.v1+json, application/json");
        return (authorization == null ? builder : builder.header("Authorization", authorization)).build();
    }

    private static JsonNode readJson(String body) {
        try {
            return JSON.readTree(body);
        } catch (JsonProcessingException e) {
            return JSON.missingNode();
        }
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    private static IOException interrupted() {
        Thread.currentThread().interrupt();
        return new IOException("interrupted while asking the schema registry");
    }
}
