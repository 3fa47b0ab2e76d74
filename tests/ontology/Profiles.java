// What the OWL API and HermiT say about the ontology in a file: how much there is, each violation of OWL 2 DL and of
// OWL 2 RL, whether it is consistent, each unsatisfiable class. Lines of two columns, a word and what is said, and a tab.

import java.io.File;
import java.util.Set;
import java.util.TreeSet;
import org.semanticweb.HermiT.Reasoner;
import org.semanticweb.owlapi.apibinding.OWLManager;
import org.semanticweb.owlapi.model.OWLAxiom;
import org.semanticweb.owlapi.model.OWLClass;
import org.semanticweb.owlapi.model.OWLOntology;
import org.semanticweb.owlapi.model.OWLOntologyManager;
import org.semanticweb.owlapi.profiles.OWL2DLProfile;
import org.semanticweb.owlapi.profiles.OWL2RLProfile;
import org.semanticweb.owlapi.profiles.OWLProfile;
import org.semanticweb.owlapi.profiles.OWLProfileViolation;

public class Profiles {
    public static void main(String[] arguments) throws Exception {
        OWLOntologyManager manager = OWLManager.createOWLOntologyManager();
        OWLOntology ontology = manager.loadOntologyFromOntologyDocument(new File(arguments[0]));
        say("axioms", ontology.getLogicalAxiomCount());
        say("classes", ontology.getClassesInSignature().size());
        say("individuals", ontology.getIndividualsInSignature().size());
        violations("RL", new OWL2RLProfile(), ontology);
        if (violations("DL", new OWL2DLProfile(), ontology) > 0) {
            return; // HermiT reasons over OWL 2 DL only
        }
        Reasoner reasoner = new Reasoner(ontology);
        boolean consistent = reasoner.isConsistent();
        say("consistent", consistent);
        if (consistent) {
            for (OWLClass unsatisfiable : reasoner.getUnsatisfiableClasses().getEntitiesMinusBottom()) {
                say("unsatisfiable", unsatisfiable.toStringID());
            }
        }
    }

    private static int violations(String name, OWLProfile profile, OWLOntology ontology) {
        Set<String> found = new TreeSet<>();
        for (OWLProfileViolation violation : profile.checkOntology(ontology).getViolations()) {
            OWLAxiom axiom = violation.getAxiom();
            found.add(violation.getClass().getSimpleName() + " " + (axiom == null ? violation : axiom));
        }
        for (String violation : found) {
            say(name, violation.replaceAll("\\s+", " "));
        }
        return found.size();
    }

    private static void say(String word, Object what) {
        System.out.println(word + "\t" + what);
    }
}
