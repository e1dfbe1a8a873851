package dev.gameanalytics.avro;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SystemLimitException;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** Rows from records that are a zero byte, the id of a schema in four bytes, and the content in Avro. */
class RegistryAvroDecoder implements DeserializationSchema<RowData> {

    private static final int HEADER_BYTES = 5;
    private static final int MOST_SCHEMAS = 1_000;
    /** No field of Avro can have this name. */
    private static final String UNKNOWN_SCHEMA_COLUMN = "$unknown_schema";
    /** For so long the registry is not asked again for a schema that it does not have. */
    private static final long UNREADABLE_NANOS = 10_000_000_000L;

    static {
        // A few bytes can announce a gigabyte, and Avro would make room for it. It reads these limits when it is first
        // used. What fits into a message of Kafka is far below them.
        System.setProperty(SystemLimitException.MAX_STRING_LENGTH_PROPERTY, "16000000");
        System.setProperty(SystemLimitException.MAX_BYTES_LENGTH_PROPERTY, "16000000");
        System.setProperty(SystemLimitException.MAX_COLLECTION_LENGTH_PROPERTY, "1000000");
    }

    private final String url;
    private final String secretFolder;
    private final RowType rowType;
    private final TypeInformation<RowData> typeInformation;

    private transient SchemaRegistry registry;
    private transient Map<Integer, Writer> writers;
    private transient BinaryDecoder decoder;

    /** What reads the records of a schema; null: nothing can, perhaps because the registry does not know it. */
    private record Writer(GenericDatumReader<Object> reader, boolean isUnknown, long askedNanos) {}

    RegistryAvroDecoder(
            String url, String secretFolder, RowType rowType, TypeInformation<RowData> typeInformation) {
        this.url = url;
        this.secretFolder = secretFolder;
        this.rowType = rowType;
        this.typeInformation = typeInformation;
    }

    @Override
    public void open(InitializationContext context) throws IOException {
        // Secrets are read here, so that none is in the job's graph, and a renewed one takes effect at a restart.
        registry = new SchemaRegistry(url, secretFolder);
        writers = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Integer, Writer> eldest) {
                return size() > MOST_SCHEMAS;
            }
        };
    }

    /**
     * The row of a record, or null when it cannot be read. If the registry does not know its schema, the row has only
     * the schema's id, in the column that is there for it.
     *
     * @throws IOException when the registry does not answer
     */
    @Override
    public RowData deserialize(byte[] message) throws IOException {
        if (message == null || message.length < HEADER_BYTES || message[0] != 0) return null;
        int schemaId = ByteBuffer.wrap(message).getInt(1);
        Writer writer = findWriter(schemaId);
        if (writer.isUnknown) return unknownSchema(schemaId);
        if (writer.reader == null) return null;
        try {
            decoder = DecoderFactory.get()
                    .binaryDecoder(message, HEADER_BYTES, message.length - HEADER_BYTES, decoder);
            Object record = writer.reader.read(null, decoder);
            // Of a record with more content than its schema says, the schema is another one's.
            return decoder.isEnd() ? AvroColumns.toRow(record, rowType) : null;
        } catch (IOException | RuntimeException | StackOverflowError unreadable) {
            // Avro has no common class for what can be wrong with a record: content that ends early, an index out of
            // bounds, a limit, or nesting without end.
            return null;
        }
    }

    private RowData unknownSchema(int schemaId) {
        int column = rowType.getFieldIndex(UNKNOWN_SCHEMA_COLUMN);
        if (column < 0) return null;
        GenericRowData row = new GenericRowData(rowType.getFieldCount());
        row.setField(column, schemaId);
        return row;
    }

    private Writer findWriter(int schemaId) throws IOException {
        Writer known = writers.get(schemaId);
        if (known != null && (known.reader != null || System.nanoTime() - known.askedNanos < UNREADABLE_NANOS))
            return known;
        Writer asked = askForWriter(schemaId);
        writers.put(schemaId, asked);
        return asked;
    }

    private Writer askForWriter(int schemaId) throws IOException {
        GenericDatumReader<Object> reader = null;
        boolean isUnknown = false;
        try {
            Schema schema = registry.fetchSchema(schemaId);
            isUnknown = schema == null;
            Schema used = isUnknown ? null : AvroColumns.usedPart(schema, rowType);
            if (used != null) reader = new GenericDatumReader<>(schema, used);
        } catch (AvroRuntimeException | StackOverflowError notAvro) {
            // Nothing can read its records.
        }
        return new Writer(reader, isUnknown, System.nanoTime());
    }

    @Override
    public boolean isEndOfStream(RowData row) {
        return false;
    }

    @Override
    public TypeInformation<RowData> getProducedType() {
        return typeInformation;
    }
}
