package dev.gameanalytics.avro;

import java.util.Set;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/**
 * The format {@code registry-avro}: Avro records in Confluent's wire format, whose schemas are in a schema registry.
 *
 * <p>Flink's own {@code avro-confluent} ends the job at the first record that it cannot decode, and again at each
 * restart. This one gives no row for such a record, and NULL for a field that is missing or of another type, as Flink's
 * JSON format with {@code ignore-parse-errors} does. Only a registry that does not answer ends the job, which then
 * waits for it: records that may be good must not be skipped.
 */
public class RegistryAvroFormatFactory implements DeserializationFormatFactory {

    private static final ConfigOption<String> URL = ConfigOptions.key("url")
            .stringType()
            .noDefaultValue()
            .withDescription("Address of the registry's Confluent API.");
    private static final ConfigOption<String> SECRET_FOLDER = ConfigOptions.key("secret-folder")
            .stringType()
            .noDefaultValue()
            .withDescription("Folder with the files username and password, or ca.crt, or all of them.");

    @Override
    public String factoryIdentifier() {
        return "registry-avro";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(URL);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of(SECRET_FOLDER);
    }

    @Override
    public DecodingFormat<DeserializationSchema<RowData>> createDecodingFormat(
            DynamicTableFactory.Context factoryContext, ReadableConfig options) {
        FactoryUtil.validateFactoryOptions(this, options);
        String url = options.get(URL);
        String secretFolder = options.get(SECRET_FOLDER);
        // Rows as a whole: of a projection, parts of nested rows would have names that are in no record.
        return new DecodingFormat<>() {
            @Override
            public DeserializationSchema<RowData> createRuntimeDecoder(
                    DynamicTableSource.Context context, DataType type) {
                return new RegistryAvroDecoder(
                        url, secretFolder, (RowType) type.getLogicalType(), context.createTypeInformation(type));
            }

            @Override
            public ChangelogMode getChangelogMode() {
                return ChangelogMode.insertOnly();
            }
        };
    }
}
