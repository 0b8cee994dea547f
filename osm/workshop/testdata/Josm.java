import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.openstreetmap.josm.data.APIDataSet;
import org.openstreetmap.josm.data.Preferences;
import org.openstreetmap.josm.data.osm.DataSet;
import org.openstreetmap.josm.data.osm.OsmPrimitive;
import org.openstreetmap.josm.data.osm.Way;
import org.openstreetmap.josm.data.preferences.JosmBaseDirectories;
import org.openstreetmap.josm.data.preferences.JosmUrls;
import org.openstreetmap.josm.data.projection.ProjectionRegistry;
import org.openstreetmap.josm.data.projection.Projections;
import org.openstreetmap.josm.data.validation.OsmValidator;
import org.openstreetmap.josm.data.validation.Severity;
import org.openstreetmap.josm.data.validation.Test;
import org.openstreetmap.josm.data.validation.TestError;
import org.openstreetmap.josm.gui.progress.NullProgressMonitor;
import org.openstreetmap.josm.io.OsmReader;
import org.openstreetmap.josm.spi.preferences.Config;

/** Reads a file with JOSM's own reader, and tells what JOSM holds and would upload: one "name number" a line. */
class Josm {
    public static void main(String[] args) throws Exception {
        System.setProperty("josm.home", Files.createTempDirectory("josm").toString());
        Config.setBaseDirectoriesProvider(JosmBaseDirectories.getInstance());
        Config.setPreferencesInstance(Preferences.main());
        Config.setUrlsProvider(JosmUrls.getInstance());
        ProjectionRegistry.setProjection(Projections.getProjectionByCode("EPSG:3857"));
        DataSet data;
        try (InputStream in = Files.newInputStream(Path.of(args[0]))) {
            data = OsmReader.parseDataSet(in, NullProgressMonitor.INSTANCE);
        }
        Map<String, Long> told = new TreeMap<>();
        told.put("nodes", (long) data.getNodes().size());
        told.put("ways", (long) data.getWays().size());
        told.put("relations", (long) data.getRelations().size());
        told.put("incomplete", data.allPrimitives().stream().filter(OsmPrimitive::isIncomplete).count());
        told.put("unusable", data.getWays().stream().filter(w -> !w.isUsable() || w.hasIncompleteNodes()).count());
        told.put("refs", data.getWays().stream().mapToLong(Way::getNodesCount).sum());
        told.put("tags", data.allPrimitives().stream().mapToLong(OsmPrimitive::getNumKeys).sum());
        APIDataSet upload = new APIDataSet(data);
        told.put("add", (long) upload.getPrimitivesToAdd().size());
        told.put("update", (long) upload.getPrimitivesToUpdate().size());
        told.put("delete", (long) upload.getPrimitivesToDelete().size());
        told.put("errors", errors(data));
        told.forEach((name, n) -> System.out.println(name + " " + n));
        System.exit(0);
    }

    /** Counts what JOSM's validator calls an error, and says what. */
    private static long errors(DataSet data) {
        OsmValidator.initialize();
        long n = 0;
        for (Test test : OsmValidator.getEnabledTests(true)) {
            try {
                test.startTest(NullProgressMonitor.INSTANCE);
                test.visit(data.allPrimitives());
                test.endTest();
            } catch (RuntimeException e) {
                System.err.println("test " + test.getName() + " can't run: " + e);
                continue;
            }
            for (TestError e : test.getErrors()) {
                System.err.println(e.getSeverity() + ": " + e.getMessage() + " " + e.getDescription());
                if (e.getSeverity() == Severity.ERROR) n++;
            }
        }
        return n;
    }
}
